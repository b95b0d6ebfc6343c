//! Values in a form whose bytes sort as the values do.
//! <https://hl7.org/fhir/R4/search.html#sort>

/// Longer values sort by their beginning.
const LIMIT: usize = 64;

/// The lowest and the highest value of one parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent(Option<(String, String)>);

impl Extent {
    pub fn add(&mut self, value: &str) {
        let value = cut(value);
        if value.is_empty() {
            return;
        }
        match &mut self.0 {
            None => self.0 = Some((value.to_owned(), value.to_owned())),
            Some((low, high)) => {
                if value < low.as_str() {
                    value.clone_into(low);
                }
                if value > high.as_str() {
                    value.clone_into(high);
                }
            }
        }
    }

    /// The rows to sort by: the lowest under the parameter's name, the highest,
    /// where it is another one, under the name for descending order.
    pub fn into_rows(self, code: &str) -> impl Iterator<Item = (String, String)> {
        let (low, high) = self.0.unzip();
        let highest = high.filter(|high| Some(high) != low.as_ref());
        let lowest = low.map(|low| (code.to_owned(), low));
        lowest
            .into_iter()
            .chain(highest.map(|high| (descending_name(code), high)))
    }
}

pub fn descending_name(code: &str) -> String {
    format!("-{code}")
}

/// A time as text: moved above zero, then padded.
pub fn of_time(microseconds: i64) -> String {
    format!("{:020}", i128::from(microseconds) - i128::from(i64::MIN))
}

/// No store keeps a NUL in text.
fn cut(value: &str) -> &str {
    let text = value.split('\0').next().unwrap_or_default();
    let mut end = text.len().min(LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
