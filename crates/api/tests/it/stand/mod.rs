//! A stand for the whole interface: every request passes the guard.

pub(crate) mod engine;
pub(crate) mod facts;
pub(crate) mod outside;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use ocelli_api::{
    AnalyzerSettings, ApiSettings, ApiState, LiveSettings, ModelView,
    access::{Access, AccessConfig, Rate, RatesConfig, WallClock},
    router,
    serving::Peer,
};
use ocelli_archive::{Archive, ArchiveConfig};
use ocelli_store::{Access as StoreAccess, SqliteStore};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tower::ServiceExt as _;

use self::{engine::MemoryEngine, outside::Outside};

pub(crate) const MOST_UPLOAD_BYTES: u64 = 3 << 20;
/// Wall time as a stand begins.
pub(crate) const NOW_MS: i64 = 1_000;

/// Everything that a test needs to ask and to look behind.
pub(crate) struct Stand {
    pub(crate) engine: Arc<MemoryEngine>,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) outside: Arc<Outside>,
    pub(crate) archive: Archive,
    /// Wall time, in milliseconds since 1970.
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) folder: TempDir,
    pub(crate) state: ApiState,
    pub(crate) router: Router,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

/// As many requests as a test likes.
pub(crate) fn open() -> AccessConfig {
    let plenty = Rate { per_second: 1e6, burst: 1_000_000 };
    AccessConfig { rates: RatesConfig { requests: plenty, failures: plenty }, ..AccessConfig::default() }
}

impl Stand {
    /// Whoever asks is on this machine, and admin.
    pub(crate) async fn new() -> Self {
        Self::with(open(), LiveSettings::default()).await
    }

    pub(crate) async fn with(access: AccessConfig, live: LiveSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let uploads = folder.path().join("uploads");
        std::fs::create_dir(&uploads).unwrap();
        let engine = Arc::new(MemoryEngine::new(folder.path().join("frames")));
        let place = folder.path().join("store");
        let store = Arc::new(SqliteStore::open(&place, StoreAccess::Write).await.unwrap());
        let outside = Arc::new(Outside::default());
        let archive = ArchiveConfig {
            reserve_bytes: 0,
            ..ArchiveConfig::new(folder.path().join("archive"), || NOW_MS)
        };
        std::fs::create_dir(&archive.folder).unwrap();
        let segments = Arc::clone(&store) as _;
        let archive = Archive::open(archive, segments, Handle::current()).await.unwrap();
        let clock = Arc::new(AtomicI64::new(NOW_MS));
        let wall = Arc::clone(&clock);
        let wall = WallClock::new(move || wall.load(Ordering::Relaxed));
        let local: SocketAddr = "127.0.0.1:8002".parse().unwrap();
        let model = |id: &str, default| ModelView {
            id: id.to_owned(),
            description: "a model".to_owned(),
            licence: "Apache-2.0".to_owned(),
            classes: vec!["person".to_owned(), "car".to_owned()],
            installed: true,
            default,
        };
        let state = ApiState {
            access: Access::open(access, &[local], wall).unwrap(),
            engine: Arc::clone(&engine) as _,
            results: Arc::clone(&store) as _,
            streams: Arc::clone(&store) as _,
            probe: Arc::clone(&outside) as _,
            policy: Arc::clone(&outside) as _,
            operation: Arc::clone(&outside) as _,
            media: Some(Arc::new(archive.clone())),
            frames: Arc::default(),
            models: vec![model("ssd", true), model("yolo", false)],
            settings: ApiSettings {
                version: "0.1.0-test".to_owned(),
                uploads,
                most_upload_bytes: MOST_UPLOAD_BYTES,
                most_uploads: 4,
                upload_idle: Duration::from_secs(20),
                most_body_bytes: 1 << 20,
                quality: 77,
                limits: ocelli_api::serving::LimitsConfig::default(),
                hardware: None,
                live,
                analyzer: AnalyzerSettings {
                    webcam_patience: Duration::from_millis(50),
                    ..AnalyzerSettings::default()
                },
            },
        };
        let router = router(state.clone());
        Self { engine, store, outside, archive, clock, folder, state, router }
    }

    /// With other settings.
    pub(crate) fn configured(mut self, change: impl FnOnce(&mut ApiSettings)) -> Self {
        change(&mut self.state.settings);
        self.router = router(self.state.clone());
        self
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let local: SocketAddr = "127.0.0.1:40000".parse().unwrap();
        request.extensions_mut().insert(Peer::new(local, false));
        request.headers_mut().entry(header::HOST).or_insert("127.0.0.1:8002".parse().unwrap());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// With a body of this media type.
    pub(crate) async fn ask(&self, method: Method, path: &str, kind: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, kind);
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.ask(method, path, "application/json", body.to_string()).await
    }

    /// A form without a file.
    pub(crate) async fn form(&self, path: &str, body: &str) -> Answer {
        self.ask(Method::POST, path, "application/x-www-form-urlencoded", body.to_owned()).await
    }

    /// Files below the folder of uploads.
    pub(crate) fn uploads(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.state.settings.uploads.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let kind = entry.file_type().unwrap();
                if kind.is_dir() {
                    folders.push(entry.path());
                } else {
                    let path = entry.path();
                    found
                        .push(path.strip_prefix(&self.state.settings.uploads).unwrap().display().to_string());
                }
            }
        }
        found.sort();
        found
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The answer, which must have this status.
    #[track_caller]
    pub(crate) fn with_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// A failure of the native interface with words of its detail.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, words: &str) {
        let answer = self.with_status(status);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let json = answer.json();
        assert_eq!(json["status"], status);
        assert!(json["detail"].as_str().unwrap().contains(words), "{json}");
        assert!(json["type"].as_str().unwrap().starts_with("urn:ocelli:problem:"), "{json}");
    }

    /// A failure of contract 3 with words of its error.
    #[track_caller]
    pub(crate) fn expect_error(self, status: u16, words: &str) {
        let answer = self.with_status(status);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let json = answer.json();
        assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
        assert!(json["error"].as_str().unwrap().contains(words), "{json}");
    }

    /// A failure of contract 1 with words of its detail.
    #[track_caller]
    pub(crate) fn expect_detail(self, status: u16, words: &str) {
        let answer = self.with_status(status);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let json = answer.json();
        assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
        assert!(json["detail"].as_str().unwrap().contains(words), "{json}");
    }
}
