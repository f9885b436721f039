//! Values that are words: names of a closed set, addresses, origins, filters, secrets.

use std::{fmt, net::SocketAddr, num::NonZeroUsize, path::Path, thread::available_parallelism};

use ocelli_media::libav::Acceleration;
use ocelli_model::SamplingPlan;
use ocelli_net::Network;
use toml::Value;
use tracing_subscriber::EnvFilter;

use super::setting::{Faults, Setting, unexpected, wrong};

/// Most threads that anybody means.
const MOST_THREADS: i64 = 1024;

/// One of a few words.
macro_rules! one_of {
    ($(#[doc = $about:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $(#[$default:ident])? $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) enum $name { $($(#[doc = $doc])+ $(#[$default])? $variant,)+ }

        impl Setting for $name {
            fn expects() -> String {
                [$(concat!("\"", $word, "\"")),+].join(" or ")
            }

            fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
                match value.as_str() {
                    $(Some($word) => Ok(Self::$variant),)+
                    _ => Err(unexpected::<Self>(value)),
                }
            }

            fn shown(&self) -> Option<Value> {
                Some(Value::String(match self { $(Self::$variant => $word,)+ }.to_owned()))
            }
        }
    };
}

one_of! {
    /// An interface that clients use.
    Contract {
        /// `/api/v1/video-pipeline/`
        #[default]
        VideoPipeline = "video-pipeline",
        /// `/api/streaming/`, `/api/streams/`, `/streaming/` and `/ws/stream/`
        MediaAnalyzer = "media-analyzer",
        /// The rest of `/api/v1/`
        Native = "native",
    }
}

one_of! {
    /// What a client may do.
    Role {
        /// Look.
        #[default]
        Viewer = "viewer",
        /// Create, change and stop streams too.
        Operator = "operator",
        /// Everything.
        Admin = "admin",
    }
}

one_of! {
    /// How tokens of an identity provider are signed (RFC 7518 section 3.1).
    JwtAlgorithm {
        /// HMAC with SHA-256: one secret on both sides.
        #[default]
        Hs256 = "HS256",
        /// RSA with SHA-256: the provider's public key.
        Rs256 = "RS256",
        /// ECDSA on P-256 with SHA-256: the provider's public key.
        Es256 = "ES256",
    }
}

one_of! {
    /// How logs are written.
    LogFormat {
        /// For people.
        #[default]
        Text = "text",
        /// One JSON object on each line.
        Json = "json",
    }
}

/// Something with a way of its own to be written.
macro_rules! parsed {
    ($kind:ty, $holder:ty, $expects:literal) => {
        impl Setting for $holder {
            fn expects() -> String {
                $expects.to_owned()
            }

            fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
                let parsed = value.as_str().and_then(|text| text.parse::<$kind>().ok());
                parsed.map(Self).ok_or_else(|| unexpected::<Self>(value))
            }

            fn shown(&self) -> Option<Value> {
                Some(Value::String(self.0.to_string()))
            }
        }
    };
}

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Listen(pub(crate) SocketAddr);
parsed!(SocketAddr, Listen, "an address with a port such as \"127.0.0.1:8002\" or \"[::]:8002\"");

impl Default for Listen {
    fn default() -> Self {
        Self(SocketAddr::from(([127, 0, 0, 1], 0)))
    }
}

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range(pub(crate) Network);
parsed!(Network, Range, "an address range such as \"10.0.0.0/8\", \"127.0.0.1\" or \"fd00::/8\"");

impl Default for Range {
    fn default() -> Self {
        Self("127.0.0.1".parse().expect("an address"))
    }
}

/// Hardware that decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hardware(pub(crate) Acceleration);
parsed!(Acceleration, Hardware, "\"cuda\", \"qsv\" or \"vaapi\"");

impl Default for Hardware {
    fn default() -> Self {
        Self(Acceleration::Vaapi)
    }
}

/// Where pages come from that may use the interface: a scheme, a host and perhaps a port (RFC 6454 section 6.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin(pub(crate) String);

impl Setting for Origin {
    fn expects() -> String {
        "an origin such as \"https://cameras.example.org\", without a path".to_owned()
    }

    fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
        let text = value.as_str().ok_or_else(|| unexpected::<Self>(value))?;
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
        let fits = host.is_some_and(|host| !host.is_empty() && host.bytes().all(plain));
        // Browsers send them in lower case.
        if fits { Ok(Self(text.to_ascii_lowercase())) } else { Err(unexpected::<Self>(value)) }
    }

    fn shown(&self) -> Option<Value> {
        Some(Value::String(self.0.clone()))
    }
}

/// What is logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogFilter(pub(crate) String);

impl Setting for LogFilter {
    fn expects() -> String {
        "a filter such as \"info\" or \"warn,ocelli_engine=debug\"".to_owned()
    }

    fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
        let text = value.as_str().ok_or_else(|| unexpected::<Self>(value))?;
        EnvFilter::builder()
            .parse(text)
            .map(|_filter| Self(text.to_owned()))
            .map_err(|error| wrong(format!("expected {}, but {error}", Self::expects())))
    }

    fn shown(&self) -> Option<Value> {
        Some(Value::String(self.0.clone()))
    }
}

/// Which pictures are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fps(pub(crate) SamplingPlan);

impl Default for Fps {
    fn default() -> Self {
        Self(SamplingPlan::All)
    }
}

impl Setting for Fps {
    fn expects() -> String {
        "frames per second such as 5, \"0.5\" or \"30000/1001\", or \"all\"".to_owned()
    }

    fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            _ => return Err(unexpected::<Self>(value)),
        };
        text.parse().map(Self).map_err(|_error| unexpected::<Self>(value))
    }

    fn shown(&self) -> Option<Value> {
        Some(Value::String(self.0.to_string()))
    }
}

/// How many threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Threads {
    /// One per core that this process may use.
    #[default]
    Auto,
    /// As many.
    Exactly(NonZeroUsize),
}

impl Threads {
    /// The number.
    pub(crate) fn count(self) -> NonZeroUsize {
        match self {
            Self::Auto => available_parallelism().unwrap_or(NonZeroUsize::MIN),
            Self::Exactly(count) => count,
        }
    }
}

impl Setting for Threads {
    fn expects() -> String {
        format!("\"auto\" (one per core), or a number from 1 to {MOST_THREADS}")
    }

    fn from_text(text: &str) -> Value {
        u32::from_text(text)
    }

    fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
        let number = value.as_integer().filter(|number| (1..=MOST_THREADS).contains(number));
        let number = number.and_then(|number| NonZeroUsize::new(number as usize));
        let auto = (value.as_str() == Some("auto")).then_some(Self::Auto);
        number.map(Self::Exactly).or(auto).ok_or_else(|| unexpected::<Self>(value))
    }

    fn shown(&self) -> Option<Value> {
        Some(match self {
            Self::Auto => Value::String("auto".to_owned()),
            Self::Exactly(count) => Value::Integer(count.get() as i64),
        })
    }
}

/// What nobody may see. Shown nowhere: not by `Debug`, not in a log, not by `config show`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// For whoever computes with it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl Setting for Secret {
    fn expects() -> String {
        "a secret in quotes".to_owned()
    }

    fn read(value: &Value, _base: &Path) -> Result<Self, Faults> {
        // What was found instead may be the secret in another shape.
        let text = value.as_str().ok_or_else(|| wrong(format!("expected {}", Self::expects())))?;
        Ok(Self(text.to_owned()))
    }

    fn shown(&self) -> Option<Value> {
        None
    }
}
