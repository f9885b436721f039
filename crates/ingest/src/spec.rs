//! What a stream reads, as configured.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Source, SourceError, SourceKind, SourceUrl, Stop};

/// Where media comes from and how it is read. Serialised with its secrets, for the store; shown without them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// Where.
    pub url: SourceUrl,
    /// A file: begins anew at its end, each turn a run of its own.
    #[serde(default)]
    pub repeat: bool,
    /// How fast a file is read, from this machine or over HTTP.
    #[serde(default)]
    pub pace: Pace,
    /// Handed over by somebody who is not trusted: read and decoded in a process without rights.
    #[serde(default)]
    pub untrusted: bool,
    /// RTSP: how media comes.
    #[serde(default)]
    pub transport: Transport,
}

/// How fast a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// As fast as it can be worked on; nothing is ever dropped.
    #[default]
    Fast,
    /// As a camera would send it, by its media times; overload drops. Over HTTP also: what comes is live.
    RealTime,
}

/// How an RTSP server sends media.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Over the connection of RTSP itself (RFC 2326 section 10.12): nothing is lost, every firewall lets it through.
    #[default]
    Tcp,
    /// In datagrams: for cameras that do nothing else.
    Udp,
}

/// Opens what a stream reads.
pub trait OpenSource: Send + Sync + fmt::Debug {
    /// Blocking; `stop` ends waits, now and of the source's later calls.
    fn open(&self, spec: &SourceSpec, stop: &Stop) -> Result<Box<dyn Source>, SourceError>;
}

impl SourceSpec {
    /// Read once, as fast as it can be worked on, by whom everybody trusts.
    pub fn new(url: SourceUrl) -> Self {
        Self { url, repeat: false, pace: Pace::Fast, untrusted: false, transport: Transport::Tcp }
    }

    /// Whether media comes at its own pace, so that overload drops instead of waiting: cameras, and what is read in real
    /// time. The rest waits, and nothing of it is dropped.
    pub fn is_live(&self) -> bool {
        match self.url.kind() {
            SourceKind::Rtsp
            | SourceKind::Publish
            | SourceKind::Frames
            | SourceKind::Device
            | SourceKind::Synthetic => true,
            SourceKind::File | SourceKind::Http | SourceKind::Hls => self.pace == Pace::RealTime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_are_read_with_defaults_and_written_whole() {
        let spec: SourceSpec = serde_json::from_str(r#"{"url": "rtsp://u:p@host/a?q"}"#).unwrap();
        assert_eq!(spec, SourceSpec::new("rtsp://u:p@host/a?q".parse().unwrap()));
        let json = serde_json::to_string(&spec).unwrap();
        assert!(json.contains("rtsp://u:p@host/a?q"), "{json}");
        assert_eq!(serde_json::from_str::<SourceSpec>(&json).unwrap(), spec);
        assert!(!format!("{spec:?}").contains("u:p"), "{spec:?}");
        let udp: SourceSpec =
            serde_json::from_str(r#"{"url": "/a.mp4", "pace": "real_time", "transport": "udp"}"#).unwrap();
        assert_eq!((udp.pace, udp.transport), (Pace::RealTime, Transport::Udp));
        serde_json::from_str::<SourceSpec>(r#"{"url": "gopher://x"}"#).unwrap_err();
    }

    #[test]
    fn live_is_what_does_not_wait() {
        let cases = [
            ("rtsp://host/a", Pace::Fast, true),
            ("publish:cam1", Pace::Fast, true),
            ("synthetic:", Pace::Fast, true),
            ("frames:door", Pace::Fast, true),
            ("device:/dev/video0", Pace::Fast, true),
            ("/a.mp4", Pace::Fast, false),
            ("/a.mp4", Pace::RealTime, true),
            ("http://host/a.mp4", Pace::Fast, false),
            ("http://host/a.ts", Pace::RealTime, true),
            ("http://host/a.m3u8", Pace::Fast, false),
            ("http://host/a.m3u8", Pace::RealTime, true),
        ];
        for (url, pace, live) in cases {
            let spec = SourceSpec { pace, ..SourceSpec::new(url.parse().unwrap()) };
            assert_eq!(spec.is_live(), live, "{url} {pace:?}");
        }
    }
}
