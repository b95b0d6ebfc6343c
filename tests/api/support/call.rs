//! One request and its answer.

use reqwest::header::HeaderMap;
use serde_json::Value;

pub struct Call(pub reqwest::RequestBuilder);

impl Call {
    pub fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub fn resource(self, content: &Value) -> Self {
        self.text("application/fhir+json", &content.to_string())
    }

    pub fn patch(self, operations: &Value) -> Self {
        self.text("application/json-patch+json", &operations.to_string())
    }

    pub fn text(self, media_type: &str, content: &str) -> Self {
        Self(
            self.0
                .header("Content-Type", media_type)
                .body(content.to_owned()),
        )
    }

    pub async fn send(self) -> Reply {
        let response = self.0.send().await.unwrap();
        Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// Sends and demands this status.
    pub async fn expect(self, status: u16) -> Reply {
        let reply = self.send().await;
        assert_eq!(reply.status, status, "{}", reply.text);
        reply
    }
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no header {name}"))
            .to_str()
            .unwrap()
    }

    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap().to_owned()
    }

    /// `/Patient/123` of the resource answered.
    pub fn path(&self) -> String {
        let kind = self.json()["resourceType"].as_str().unwrap().to_owned();
        format!("/{kind}/{}", self.id())
    }

    /// The code of the first issue.
    pub fn code(&self) -> String {
        self.json()["issue"][0]["code"].as_str().unwrap().to_owned()
    }

    /// The texts of an OperationOutcome in one line each.
    pub fn diagnostics(&self) -> String {
        let json = self.json();
        assert_eq!(json["resourceType"], "OperationOutcome", "{}", self.text);
        let issues = json["issue"].as_array().unwrap();
        let lines: Vec<&str> = issues
            .iter()
            .map(|issue| issue["diagnostics"].as_str().unwrap())
            .collect();
        lines.join("\n")
    }

    /// `Type/id` of the entries in the order of the bundle.
    pub fn entries(&self) -> Vec<String> {
        let json = self.json();
        let entries = json["entry"].as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .map(|entry| {
                let resource = &entry["resource"];
                format!(
                    "{}/{}",
                    resource["resourceType"].as_str().unwrap_or(""),
                    resource["id"].as_str().unwrap_or("")
                )
            })
            .collect()
    }

    pub fn link(&self, relation: &str) -> Option<String> {
        let json = self.json();
        let links = json["link"].as_array()?;
        links
            .iter()
            .find(|link| link["relation"] == relation)
            .map(|link| link["url"].as_str().unwrap().to_owned())
    }
}
