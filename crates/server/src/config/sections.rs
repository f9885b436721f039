//! The sections and their keys. Documentation, the default file and the guide's table are made of what stands here.

use std::{path::PathBuf, time::Duration};

use super::{
    anonymous::AnonymousRule,
    section::section,
    units::ByteSize,
    words::{Fps, Hardware, JwtAlgorithm, Listen, LogFilter, LogFormat, Origin, Range, Secret, Threads},
};

section! {
    /// The server as a whole.
    struct Server = "server" {
        /// Folder of everything that has no place of its own: models, runtimes, the store, frames. Relative paths in files
        /// begin here; those in the environment and on the command line, in the working directory. Unless given:
        /// `$XDG_DATA_HOME/ocelli`, else `~/.local/share/ocelli`.
        home: PathBuf, example "/var/lib/ocelli", also "OCELLI_HOME";
        /// Addresses to listen on, each with its port. Beyond loopback, clients need a credential or an anonymous rule:
        /// without either the server does not start.
        listen: Vec<Listen>, default "127.0.0.1:8002";
        /// Most streams that may exist, going or not.
        max_streams: u32, default "1000", from "1" to "100000";
        /// How long streams have to end in order when the server is asked to stop. What is not durable by then is done
        /// again after the next start where its source still has it.
        drain_timeout: Duration, default "30 s", from "1 s" to "1 h";
    }
}

section! {
    /// TLS with HTTP/2. Without these keys the server speaks plain HTTP: on loopback, or behind a proxy that has TLS.
    struct Tls = "server.tls" {
        /// Certificate chain in PEM, the server's own first.
        cert: Option<PathBuf>, example "/etc/ocelli/cert.pem";
        /// Its private key in PEM.
        key: Option<PathBuf>, example "/etc/ocelli/key.pem";
    }
}

section! {
    /// What clients may ask of the server.
    struct Limits = "server.limits" {
        /// Longest upload.
        upload_bytes: ByteSize, default "2 GB", from "1 kB" to "1 TB";
        /// Longest body of any other request.
        body_bytes: ByteSize, default "1 MB", from "1 kB" to "1 GB";
        /// Longest wait for the headers of a request.
        header_timeout: Duration, default "10 s", from "100 ms" to "10 min";
        /// Longest time for a request; an upload has it between any two pieces that arrive. Live results have none.
        request_timeout: Duration, default "30 s", from "1 s" to "1 h";
        /// Most connections at once.
        connections: u32, default "4096", from "1" to "1000000";
        /// Requests a second for each client (its token, else its address), in the long run.
        requests_per_second: u32, default "200", from "1" to "1000000";
        /// Requests that a client may make at once after a rest.
        burst: u32, default "1000", from "1" to "1000000";
    }
}

section! {
    /// Pages of other origins.
    struct Cors = "cors" {
        /// Origins whose pages may use the interface, live results included, such as `https://cameras.example.org`. Pages
        /// that the server itself serves need no entry.
        origins: Vec<Origin>, default "";
    }
}

section! {
    /// Who may do what. Asked for as soon as the server listens beyond loopback.
    struct Access = "access" {
        /// File of tokens, hashed; `ocelli token create` writes it.
        tokens: PathBuf, default "tokens.json";
        /// Clients that need no credential. Each rule names an interface (`video-pipeline`, `media-analyzer` or `native`), the clients' networks
        /// and a role (`viewer`, `operator` or `admin`), perhaps `streams` (ids, or beginnings such as `front-*`), and is logged
        /// at start. In a file, best as tables of their own: `[[access.anonymous]]`.
        anonymous: Vec<AnonymousRule>, default "";
        /// Proxies whose `X-Forwarded-For` is believed when a client's address matters.
        trusted_proxies: Vec<Range>, default "";
        /// What URLs of media are signed with that need no credential, at least 32 letters. Without it they end with the
        /// server's process. Best in the environment.
        media_key: Option<Secret>, example "at least thirty-two letters of chance";
    }
}

section! {
    /// Tokens of an identity provider (JWT, RFC 7519).
    struct Jwt = "access.jwt" {
        /// How they are signed: `HS256`, `RS256` or `ES256`; no other algorithm is accepted. Without it there are no such tokens.
        algorithm: Option<JwtAlgorithm>, example "RS256";
        /// The shared secret of HS256, at least 32 bytes. Better in a file of its own, or in the environment.
        secret: Option<Secret>, example "at least thirty-two bytes of chance";
        /// File with the shared secret of HS256; white space around it does not count.
        secret_file: Option<PathBuf>, example "/run/secrets/ocelli-jwt";
        /// File with the public key of RS256 or ES256 in PEM.
        key_file: Option<PathBuf>, example "/etc/ocelli/jwt.pem";
        /// Who must have issued a token (`iss`); without it, anybody who has the key.
        issuer: Option<String>, example "https://login.example.org";
        /// Whom a token must be for (`aud`); without it, tokens that say whom they are for are refused.
        audience: Option<String>, example "ocelli";
    }
}

section! {
    /// Folders of media.
    struct Media = "media" {
        /// Folder of uploaded videos. `file:` URLs may lead into it.
        uploads: PathBuf, default "uploads", also "UPLOAD_FOLDER";
        /// Folder of frames, one folder for each stream in it. Other containers may mount it.
        frames: PathBuf, default "frames", also "OUTPUT_FOLDER";
        /// Further folders that `file:` URLs may lead into.
        folders: Vec<PathBuf>, default "";
    }
}

section! {
    /// Frames as JPEG files. Limits hold for each stream; the newest frame always stays.
    struct Frames = "frames" {
        /// JPEG quality.
        quality: u8, default "90", from "1" to "100";
        /// Most frames that are kept.
        keep_count: Option<u32>, default "none", from "1" to "4294967295";
        /// Frames older than this go.
        keep_age: Option<Duration>, default "7 d", from "1 s" to "36500 d";
        /// Most bytes of frames that are kept.
        keep_bytes: Option<ByteSize>, default "none", from "1 MB" to "1000 TB";
        /// Memory for the newest frames of all streams together.
        cache_bytes: ByteSize, default "64 MB", from "1 MB" to "1 TB";
    }
}

section! {
    /// Connections that the server makes.
    struct Outgoing = "network" {
        /// Address ranges that connections may lead to beyond public and private ones: loopback, link-local, metadata and
        /// multicast addresses are refused unless listed.
        allow: Vec<Range>, default "", also "OCELLI_NET_ALLOW";
        /// From looking up a camera's name to its promise to play.
        connect_timeout: Duration, default "10 s", from "100 ms" to "10 min";
        /// Longest time without a whole picture; then the connection counts as dead.
        stall_timeout: Duration, default "10 s", from "500 ms" to "1 h";
    }
}

section! {
    /// Decoding on hardware.
    struct HardwareDecoding = "hardware" {
        /// Kinds of hardware that may be used where the machine has them: `cuda`, `qsv`, `vaapi`.
        options: Vec<Hardware>, default "cuda,qsv,vaapi", also "HW_ACCEL_OPTIONS";
    }
}

section! {
    /// Results, ledgers and streams.
    struct Store = "store" {
        /// Folder of the store, on a local disk.
        path: PathBuf, default "store", also "OCELLI_STORE";
        /// Results older than this go, with their ledgers and tracks.
        keep_age: Option<Duration>, default "none", from "1 min" to "36500 d";
    }
}

section! {
    /// Recordings of streams that are recorded. Limits hold for all streams together; what is pinned stays whatever they say.
    struct Archive = "archive" {
        /// Folder of recordings, on a local disk.
        path: PathBuf, default "recordings";
        /// Recordings older than this go.
        keep_age: Option<Duration>, default "7 d", from "1 min" to "36500 d";
        /// Pieces of class `event`, in which something was detected, go when they are older than this. Without it they go as others do, so that a
        /// busy street fills no disk that `keep_age` is meant to bound; `record.events` of a stream says what counts.
        keep_event_age: Option<Duration>, default "none", from "1 min" to "36500 d";
        /// Most bytes of recordings; the oldest go first, whatever was seen in them.
        keep_bytes: Option<ByteSize>, default "none", from "10 MB" to "1000 TB";
        /// Room on the disk that is left to others: below it the oldest recordings go, and where none may, recording pauses.
        reserve_bytes: ByteSize, default "1 GB", from "1 MB" to "1000 TB";
    }
}

section! {
    /// Publishers that send media here by RTMP, such as OBS.
    struct Rtmp = "rtmp" {
        /// Addresses to listen on, each with its port; `none` for no RTMP. Where the port of the default is taken, the server starts
        /// without RTMP and says so.
        listen: Option<Vec<Listen>>, default "127.0.0.1:1935";
        /// Most connections at once.
        connections: u32, default "256", from "1" to "65536";
    }
}

section! {
    /// How streams are worked on.
    struct Engine = "engine" {
        /// Threads that decode and look, shared by all streams; `auto` is one per core.
        threads: Threads, default "auto";
        /// Pause before the second attempt to read a source; it doubles with each failure, and media sets it back.
        backoff_min: Duration, default "1 s", from "10 ms" to "1 h";
        /// Longest pause between two attempts.
        backoff_max: Duration, default "1 min", from "10 ms" to "1 d";
        /// Memory of the process that decodes an upload, beyond what the program itself takes; one that needs more is ended.
        /// A decoder of 3840x2160 takes about 250 MB.
        child_memory: ByteSize, default "1 GiB", from "64 MiB" to "1 TiB";
        /// CPU time of such a process for one answer: one unit decoded, or the whole of `video-info`.
        child_cpu: Duration, default "10 s", from "1 s" to "1 h";
        /// Longest wait for such an answer, however busy the machine.
        child_timeout: Duration, default "30 s", from "1 s" to "1 h";
    }
}

section! {
    /// Streams of contract 3, the media analyzer.
    struct Analyzer = "analyzer" {
        /// Pictures of them that are looked at: frames per second, such as `5`, `0.5` or `30000/1001`, or `all`.
        fps: Fps, default "5";
        /// The local camera that `webcam/start/` opens. On a machine without one `synthetic:` stands in, and the answer says so.
        webcam: String, default "device:/dev/video0";
        /// Longest wait until it can be played.
        webcam_timeout: Duration, default "15 s", from "1 s" to "10 min";
        /// Host of the RTMP address that publishers are told, where it is not the one that the client asked.
        rtmp_host: Option<String>, example "ingest.example.org";
        /// Its port, where it is not the one of `rtmp.listen`.
        rtmp_port: Option<u16>, example "1935", also "RTMP_PORT";
        /// What stands before the path of playlists where players reach them under another name, such as
        /// `https://video.example.org`; without it their URLs begin with the path.
        hls_base_url: Option<String>, example "https://video.example.org", also "HLS_BASE_URL";
        /// Path of playlists as players ask for it. This server has them below `/streaming`; another path needs a proxy that leads there.
        hls_path: String, default "/streaming", also "HLS_ENDPOINT_PATH";
    }
}

section! {
    /// Logs, on standard error.
    struct Log = "log" {
        /// `text` for people, `json` for one JSON object on each line.
        format: LogFormat, default "text";
        /// What is logged: a level, or levels by part of the program, such as `warn,ocelli_engine=debug`.
        filter: LogFilter, default "warn,ocelli=info", also "OCELLI_LOG";
    }
}
