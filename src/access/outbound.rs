//! Requests that this service makes to addresses which somebody else chose: an
//! issuer, a client, an EHR. They reach the public network only, by the address that a
//! name resolves to, and follow no redirects.
//! <https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html>

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, HeaderMap};
use serde_json::Value;

use super::public::is_public;
use crate::fhir::json;

const CONNECT: Duration = Duration::from_secs(3);
const WHOLE: Duration = Duration::from_secs(8);

/// How an address is asked, and what of an answer is read.
pub struct Asking<'a> {
    pub accept: &'static str,
    pub bearer: Option<&'a str>,
    /// Bytes of the answer.
    pub most: usize,
    pub depth: usize,
    pub within: Duration,
}

impl Asking<'_> {
    /// Keys and metadata. A set of a hundred keys takes less.
    const DOCUMENT: Self = Self {
        accept: "application/json",
        bearer: None,
        most: 256 * 1024,
        depth: 16,
        within: WHOLE,
    };
}

/// For the log and for operators; no part of it comes from an answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    #[error("{0}")]
    Refused(&'static str),
    #[error("{0}")]
    Failed(String),
}

pub struct Outbound {
    client: reqwest::Client,
    private: bool,
    whole: Duration,
}

/// A JSON document and the headers it came with.
pub struct Document {
    pub content: Value,
    pub headers: HeaderMap,
}

impl Outbound {
    /// `private`: addresses of this machine and of private networks too, and
    /// plain http.
    pub fn new(private: bool) -> Result<Self, OutboundError> {
        let resolver = Guarded {
            allowed: if private { |_| true } else { is_public },
            look_up: Arc::new(|name| Ok((name, 0).to_socket_addrs()?.collect())),
        };
        Self::by(private, resolver, WHOLE)
    }

    fn by(private: bool, resolver: Guarded, whole: Duration) -> Result<Self, OutboundError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(whole)
            .dns_resolver(resolver)
            .user_agent("unloop")
            .build()
            .map_err(failed)?;
        Ok(Self {
            client,
            private,
            whole,
        })
    }

    /// Whether an address may be asked at all, before anybody asks it.
    pub fn check(&self, url: &str) -> Result<Url, OutboundError> {
        let url = Url::parse(url).map_err(|_| OutboundError::Refused("it is no absolute URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if self.private => {}
            _ => return Err(OutboundError::Refused("it must be an https URL")),
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(OutboundError::Refused(
                "it has a user, a password or a fragment",
            ));
        }
        // A resolver is not asked for what is an address already.
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = literal.parse::<IpAddr>()
            && !self.private
            && !is_public(address)
        {
            return Err(NOT_PUBLIC);
        }
        Ok(url)
    }

    pub async fn json(&self, url: &str) -> Result<Document, OutboundError> {
        self.ask(url, &Asking::DOCUMENT).await
    }

    pub async fn ask(&self, url: &str, asking: &Asking<'_>) -> Result<Document, OutboundError> {
        let url = self.check(url)?;
        let mut request = self.client.get(url).header(ACCEPT, asking.accept);
        if let Some(token) = asking.bearer {
            request = request.bearer_auth(token);
        }
        let request = request.timeout(asking.within.min(self.whole));
        let mut response = request.send().await.map_err(failed)?;
        if response.status() != 200 {
            return Err(OutboundError::Failed(format!(
                "status {}",
                response.status()
            )));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > asking.most {
                return Err(OutboundError::Refused("the answer is too long"));
            }
            body.extend_from_slice(&chunk);
        }
        let content = json::parse(&body, asking.depth);
        Ok(Document {
            content: content.map_err(|_| OutboundError::Refused("the answer is not JSON"))?,
            headers: response.headers().clone(),
        })
    }
}

const NOT_PUBLIC: OutboundError = OutboundError::Refused(
    "it leads to this machine or a private network; UNLOOP_OUTBOUND_PRIVATE=true allows that",
);

/// The innermost cause says most.
fn failed(error: reqwest::Error) -> OutboundError {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    OutboundError::Failed(cause.to_string())
}

type LookUp = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// The connection goes to the very addresses that were judged: a name is looked
/// up once.
struct Guarded {
    allowed: fn(IpAddr) -> bool,
    look_up: Arc<LookUp>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (allowed, look_up) = (self.allowed, self.look_up.clone());
        Box::pin(async move {
            let work = move || look_up(name.as_str());
            let found = tokio::task::spawn_blocking(work).await??;
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| allowed(address.ip()))
                .collect();
            if allowed.is_empty() {
                return Err(NOT_PUBLIC.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_plain_https_urls_are_asked() {
        let outbound = Outbound::new(false).unwrap();
        for url in [
            "http://id.example.org",
            "ftp://id.example.org",
            "file:///etc/passwd",
            "id.example.org",
            "",
            "https://user:pw@id.example.org/",
            "https://user@id.example.org/",
            "https://id.example.org/#x",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/",
            "gopher://id.example.org",
            "data:application/json,{}",
            "unix:/run/x.sock",
        ] {
            assert!(outbound.check(url).is_err(), "{url}");
        }
        assert!(outbound.check("https://id.example.org/keys?x=1").is_ok());
        assert!(
            Outbound::new(true)
                .unwrap()
                .check("http://127.0.0.1:1/")
                .is_ok()
        );
    }

    /// Counts who connects, and says this to each; without a text, nothing.
    fn listen(address: &str, says: Option<&'static str>) -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                if let Some(says) = says {
                    let read = stream.read(&mut [0; 4096]).unwrap();
                    assert!(read > 0);
                    stream.write_all(says.as_bytes()).unwrap();
                }
                kept.push(stream);
            }
        });
        (address, count)
    }

    fn answer(headers: &str, content: &str) -> &'static str {
        let length = content.len();
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{content}").leak()
    }

    /// Whoever owns a name may let it lead to an address that is allowed as long
    /// as it is judged, and to this machine when it is asked.
    #[tokio::test]
    async fn a_name_that_changes_its_address_leads_nowhere_else() {
        let (outside, asked_outside) = listen("127.0.0.2:0", Some(answer("", "{}")));
        let inside = format!("127.0.0.1:{}", outside.port());
        let (_, asked_inside) = listen(&inside, Some(answer("", "{}")));
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let resolver = Guarded {
            allowed: |address| address == IpAddr::from([127, 0, 0, 2]),
            look_up: Arc::new(move |_| {
                let last = if counted.fetch_add(1, Ordering::SeqCst) == 0 {
                    2
                } else {
                    1
                };
                Ok(vec![SocketAddr::from(([127, 0, 0, last], 0))])
            }),
        };
        let outbound = Outbound::by(true, resolver, WHOLE).unwrap();
        let url = format!("http://keys.example.org:{}/", outside.port());
        assert!(outbound.json(&url).await.is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 1, "judged once, used once");
        assert_eq!(asked_outside.load(Ordering::SeqCst), 1);
        for _ in 0..3 {
            assert!(outbound.json(&url).await.is_err());
        }
        assert_eq!(asked_inside.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn of_several_addresses_the_forbidden_ones_are_not_tried() {
        let (inside, asked) = listen("127.0.0.1:0", Some(answer("", "{}")));
        let resolver = Guarded {
            allowed: |address| address == IpAddr::from([127, 0, 0, 2]),
            look_up: Arc::new(|_| Ok([1, 2].map(|last| ([127, 0, 0, last], 0).into()).to_vec())),
        };
        let outbound = Outbound::by(true, resolver, WHOLE).unwrap();
        let url = format!("http://keys.example.org:{}/", inside.port());
        assert!(outbound.json(&url).await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 0);
    }

    /// Before the head, and in the middle of the content.
    #[tokio::test]
    async fn a_server_that_never_answers_is_not_waited_for() {
        let begun = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
        for says in [None, Some(begun)] {
            let (address, asked) = listen("127.0.0.1:0", says);
            let resolver = Guarded {
                allowed: |_| true,
                look_up: Arc::new(|_| Ok(Vec::new())),
            };
            let outbound = Outbound::by(true, resolver, Duration::from_millis(300)).unwrap();
            assert!(outbound.json(&format!("http://{address}/")).await.is_err());
            assert_eq!(asked.load(Ordering::SeqCst), 1);
        }
    }
}
