//! A small HTTP server that says what the test wants, and counts who asks.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

#[derive(Default)]
struct State {
    pages: HashMap<String, String>,
    asked: Vec<String>,
    down: bool,
}

#[derive(Clone)]
pub struct Web {
    pub url: String,
    state: Arc<Mutex<State>>,
}

impl Web {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::<Mutex<State>>::default();
        let web = Self {
            url,
            state: state.clone(),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let state = state.clone();
                std::thread::spawn(move || answer(stream.unwrap(), &state));
            }
        });
        web
    }

    /// Status line, headers and content, as they go over the wire.
    pub fn raw(&self, path: &str, status: &str, headers: &str, content: &str) {
        let length = content.len();
        let page = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{content}"
        );
        self.state
            .lock()
            .unwrap()
            .pages
            .insert(path.to_owned(), page);
    }

    pub fn json(&self, path: &str, headers: &str, content: &Value) {
        self.raw(
            path,
            "200 OK",
            &format!("content-type: application/json\r\n{headers}"),
            &content.to_string(),
        );
    }

    /// Discovery and keys of an issuer at this address.
    pub fn issue(&self, headers: &str, keys: &Value) {
        let configuration = json!({"issuer": self.url, "jwks_uri": format!("{}/keys", self.url)});
        self.json("/.well-known/openid-configuration", "", &configuration);
        self.json("/keys", headers, keys);
    }

    pub fn go_down(&self) {
        self.state.lock().unwrap().down = true;
    }

    pub fn asked(&self, path: &str) -> usize {
        let state = self.state.lock().unwrap();
        state.asked.iter().filter(|asked| *asked == path).count()
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().asked.len()
    }
}

fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    // Else the end of the connection could overtake the answer.
    let mut header = String::new();
    while reader.read_line(&mut header).is_ok_and(|read| read > 2) {
        header.clear();
    }
    let page = {
        let mut state = state.lock().unwrap();
        let page = state.pages.get(&path).cloned().filter(|_| !state.down);
        state.asked.push(path);
        page
    };
    let gone = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    // A client that has seen enough may have gone.
    stream
        .write_all(page.as_deref().unwrap_or(gone).as_bytes())
        .ok();
}
