//! Writes bundles as text: stored resources go in as they are.
//! <https://hl7.org/fhir/R4/bundle.html>

use serde_json::Value;

/// Members before `entry`, then the entries.
pub struct BundleWriter {
    text: String,
    entries: usize,
}

impl BundleWriter {
    /// `kind`: searchset, history, batch-response, transaction-response.
    pub fn new(kind: &str, total: Option<u64>, links: &[(&str, String)]) -> Self {
        let mut text = format!(
            r#"{{"resourceType":"Bundle","id":"{}","type":"{kind}""#,
            uuid::Uuid::now_v7()
        );
        if let Some(total) = total {
            text.push_str(&format!(r#","total":{total}"#));
        }
        if !links.is_empty() {
            let links: Vec<String> = links
                .iter()
                .map(|(relation, url)| {
                    format!(r#"{{"relation":"{relation}","url":{}}}"#, quoted(url))
                })
                .collect();
            text.push_str(&format!(r#","link":[{}]"#, links.join(",")));
        }
        Self { text, entries: 0 }
    }

    /// Makes room for so many bytes more, so that the text does not grow by doubling.
    pub fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes);
    }

    /// Adds one entry from `(name, JSON text)` members.
    pub fn entry(&mut self, members: &[(&str, &str)]) {
        self.text.push_str(if self.entries == 0 {
            r#","entry":[{"#
        } else {
            ",{"
        });
        for (index, (name, json)) in members.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            self.text.push('"');
            self.text.push_str(name);
            self.text.push_str("\":");
            self.text.push_str(json);
        }
        self.text.push('}');
        self.entries += 1;
    }

    /// Empty arrays don't exist in FHIR, so a bundle without entries has none.
    pub fn finish(mut self) -> String {
        self.text
            .push_str(if self.entries == 0 { "}" } else { "]}" });
        self.text
    }
}

/// A JSON string literal.
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
