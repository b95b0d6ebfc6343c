//! What a client may have meant by a name that isn't supported.

const SUGGESTIONS: usize = 3;

/// The names nearest to `wanted`, best first; none where nothing is near.
pub fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    // A quarter of the URL limit would make the distance slow to compute.
    if wanted.len() > 64 {
        return Vec::new();
    }
    let wanted = wanted.to_lowercase();
    let mut near: Vec<(usize, &str)> = names
        .map(|name| (distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, name)| {
            *distance <= 2.max(wanted.len() / 3) || name.split('-').any(|part| part == wanted)
        })
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter()
        .take(SUGGESTIONS)
        .map(|(_, name)| name)
        .collect()
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut next = vec![left];
        for (to, above) in b.chars().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(from != to))
                .min(left + 1)
                .min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        let cases = [
            ("", "", 0),
            ("abc", "", 3),
            ("birthdate", "brithdate", 2),
            ("a", "ab", 1),
        ];
        for (a, b, edits) in cases {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }

    #[test]
    fn near_names_come_first() {
        let names = ["birthdate", "death-date", "gender", "name"];
        assert_eq!(nearest("birthDate", names.into_iter()), ["birthdate"]);
        assert_eq!(nearest("nam", names.into_iter()), ["name"]);
        assert!(nearest("unrelated-thing", names.into_iter()).is_empty());
    }
}
