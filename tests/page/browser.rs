//! A headless browser, controlled by the DevTools protocol through two pipes.

use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// With the value `required`, tests fail without a browser.
pub const NEEDED: &str = "RINGSTORM_BROWSER";
/// The timeout of an answer: more than a page takes on any machine.
const TIMEOUT: Duration = Duration::from_secs(90);
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// No network, no updates, and no profile of the user.
const FLAGS: [&str; 14] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
];

/// A browser, and a page in it.
pub struct Browser {
    process: Child,
    to: File,
    from: Receiver<Value>,
    number: u64,
    session: Option<String>,
    /// The events received so far.
    events: Vec<Value>,
    _folder: TempDir,
}

/// The width of the window, and the colour scheme.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub width: u32,
    pub scheme: &'static str,
}

impl Browser {
    /// Starts a browser. Returns `None` if there is none and none is required; the message goes directly to standard error, since
    /// the test runner captures printed text.
    pub fn start() -> Option<Self> {
        let runs = |name: &&&str| {
            let version =
                Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        };
        let Some(name) = NAMES.iter().find(runs) else {
            let missing = format!("none of {} is here", NAMES.join(", "));
            assert!(std::env::var_os(NEEDED).is_none_or(|value| value != "required"), "{missing}");
            writeln!(std::io::stderr(), "skipped: {missing}").expect("standard error is there");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let made = Command::new("mkfifo").args([path("to"), path("from")]).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo can be run");
        let process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<to 4>from", name])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", path("profile").display()))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a browser can be started");
        let to = OpenOptions::new().write(true).open(path("to")).expect("it listens");
        let out = BufReader::new(File::open(path("from")).expect("it talks"));
        let (sender, from) = channel();
        thread::spawn(move || {
            for message in out.split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { return };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let browser =
            Self { process, to, from, number: 0, session: None, events: Vec::new(), _folder: folder };
        Some(browser)
    }

    /// Opens a file in a new tab.
    pub fn open(&mut self, path: &Path, view: View) {
        self.session = None;
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached =
            self.call("Target.attachToTarget", json!({"targetId": target["targetId"], "flatten": true}));
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        let View { width, scheme } = view;
        let metrics = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let feature = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": feature}));
        self.events.clear();
        self.call("Page.navigate", json!({"url": format!("file://{}", path.display())}));
        while self.received("Page.loadEventFired").next().is_none() {
            let message = self.receive();
            self.events.push(message);
        }
    }

    /// Evaluates an expression on the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// All log entries of the page.
    pub fn logged(&self) -> Vec<Value> {
        let kinds = ["Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"];
        kinds.iter().flat_map(|kind| self.received(kind).cloned()).collect()
    }

    /// The same, after waiting for `count` entries: violations of the policy can be logged after the page is loaded.
    pub fn logged_at_least(&mut self, count: usize) -> Vec<Value> {
        while self.logged().len() < count {
            let message = self.receive();
            self.events.push(message);
        }
        self.logged()
    }

    /// Every address that the page requested.
    pub fn requests(&self) -> Vec<String> {
        let address =
            |event: &Value| event["params"]["request"]["url"].as_str().unwrap_or_default().to_owned();
        self.received("Network.requestWillBeSent").map(address).collect()
    }

    fn received(&self, method: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |event| event["method"] == method)
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).expect("the browser listens");
        loop {
            let message = self.receive();
            if message["id"] == self.number {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn receive(&self) -> Value {
        self.from.recv_timeout(TIMEOUT).expect("the browser answers")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
