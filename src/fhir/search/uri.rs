//! Addresses above and below another one. URNs have no hierarchy.
//! <https://hl7.org/fhir/R4/search.html#uri>

/// What every address below this one begins with.
pub fn below(uri: &str) -> Option<String> {
    uri.contains("://").then(|| match uri.strip_suffix('/') {
        Some(_) => uri.to_owned(),
        None => format!("{uri}/"),
    })
}

/// The address itself and all that it is below of.
pub fn above(uri: &str) -> Vec<String> {
    let mut all = vec![uri.to_owned()];
    let Some((scheme, path)) = uri.split_once("://") else {
        return all;
    };
    let host = scheme.len() + "://".len();
    for (at, _) in path.match_indices('/') {
        let end = host + at;
        all.extend(uri.get(..end).map(str::to_owned));
        all.extend(uri.get(..=end).map(str::to_owned));
    }
    all.sort_unstable();
    all.dedup();
    all
}
