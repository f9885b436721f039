//! HLS as ffmpeg makes it, whole and live, and servers that lie.

mod honest;
mod liars;
mod live;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use ocelli_ingest::{
    Source, SourceError,
    pull::{FileSource, HlsSource, HttpOptions},
};
use ocelli_net::Client;
use ocelli_testkit::Clip;

use crate::web::{Answer, Web, answer, part};

/// What a source gives: PTS and bytes of pictures, then of sound.
type Given = (Vec<(i64, Bytes)>, Vec<(i64, Bytes)>);

fn options() -> HttpOptions {
    HttpOptions::new(Client::new(crate::look::options().policy).unwrap())
}

fn impatient() -> HttpOptions {
    HttpOptions { stall_timeout: Duration::from_millis(300), ..options() }
}

fn open(url: &str, options: HttpOptions) -> Result<HlsSource, SourceError> {
    HlsSource::open(&url.parse().unwrap(), options)
}

fn refused(url: &str, options: HttpOptions) -> SourceError {
    let error = open(url, options).expect_err("it was opened");
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        cause = error.source();
    }
    error
}

/// Ends as it should.
fn whole(source: &mut dyn Source) -> Given {
    let (mut pictures, mut sound) = (Vec::new(), Vec::new());
    loop {
        let next = source.next_unit();
        sound.extend(std::iter::from_fn(|| source.next_audio()).map(|unit| (unit.pts, unit.data)));
        match next.unwrap_or_else(|error| panic!("{error:?}")) {
            Some(unit) => pictures.push((unit.pts, unit.data)),
            None => return (pictures, sound),
        }
    }
}

/// Four seconds in segments of one, with sound, in a folder of their own: list.m3u8 and what it names.
fn segmented(first: u32, options: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let clip = Clip::new(192, 128).frames(120).first_number(first).params("keyint=30:bframes=2:scenecut=0");
    let list = folder.path().join("list.m3u8");
    let mut made = Command::new("ffmpeg");
    made.args(["-v", "error", "-i"]).arg(clip.cached()).args(["-f", "lavfi", "-i", "sine=440:r=48000:d=4"]);
    made.args(["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac"]);
    made.args(["-f", "hls", "-hls_time", "1", "-hls_list_size", "0"]).args(options).arg(&list);
    assert!(made.current_dir(folder.path()).status().unwrap().success());
    (folder, list)
}

/// What libav makes of the same bytes in one file.
fn truth(folder: &Path, names: &[&str]) -> Given {
    let bytes: Vec<u8> = names.iter().flat_map(|name| fs::read(folder.join(name)).unwrap()).collect();
    let path = folder.join("truth.bin");
    fs::write(&path, bytes).unwrap();
    whole(&mut FileSource::open(&path).unwrap())
}

/// Serves a folder, but for what `other` answers: it is told the path, and how many requests of that path came before.
fn serve(folder: &Path, other: impl Fn(&str, usize) -> Option<Answer> + Send + Sync + 'static) -> Web {
    let (folder, asked) = (folder.to_owned(), std::sync::Mutex::new(Vec::<String>::new()));
    let other = Arc::new(other);
    Web::serve(move |head, _| {
        let path =
            head.split(' ').nth(1).unwrap().split('?').next().unwrap().trim_start_matches('/').to_owned();
        let before = {
            let mut asked = asked.lock().unwrap();
            asked.push(path.clone());
            asked.iter().filter(|known| **known == path).count() - 1
        };
        if let Some(answer) = other(&path, before) {
            return answer;
        }
        match fs::read(folder.join(path.rsplit('/').next().unwrap())) {
            Ok(bytes) => part(head, "\"v1\"", &bytes),
            Err(_) => answer("404 Not Found", "", b""),
        }
    })
}

fn url(server: &Web, path: &str) -> String {
    format!("http://canary:canary@{}/{path}?key=canary", server.address)
}

fn list(text: &str) -> Answer {
    answer("200 OK", "Content-Type: application/vnd.apple.mpegurl\r\n", text.as_bytes())
}
