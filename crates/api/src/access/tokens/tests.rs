use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use tempfile::TempDir;
use tokio::time::Instant;

use super::*;

fn new(name: &str) -> NewToken {
    NewToken { name: name.to_owned(), role: Role::Viewer, streams: StreamScope::ALL, expires_ms: None }
}

fn folder() -> (TempDir, TokenFile) {
    let folder = tempfile::tempdir().unwrap();
    let file = TokenFile::open(folder.path().join("tokens.json")).unwrap();
    (folder, file)
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let (_folder, file) = folder();
    assert_eq!(file.list().unwrap(), []);
    let streams = StreamScope::of(Some(&["front-*"])).unwrap();
    let (first, token) = file.create(NewToken { streams, ..new("wall") }, 5).unwrap();
    let (second, other) = file.create(NewToken { expires_ms: Some(9), ..new("door") }, 6).unwrap();
    assert_eq!((first.created_ms, first.expires_ms, first.role), (5, None, Role::Viewer));
    assert_eq!(file.list().unwrap(), [first.clone(), second.clone()]);
    for token in [&token, &other] {
        let random = token.reveal().strip_prefix("ocl_").unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(random).unwrap().len(), 32);
    }
    assert_ne!(token, other);
    assert_eq!(file.revoke("wall").unwrap(), first);
    assert_eq!(file.revoke(&second.id).unwrap(), second);
    assert!(matches!(file.revoke("wall"), Err(TokenFileError::Unknown(name)) if name == "wall"));
}

#[test]
fn the_file_holds_no_token_and_is_the_owners_alone() {
    let (folder, file) = folder();
    let (_record, token) = file.create(new("wall"), 0).unwrap();
    let path = folder.path().join("tokens.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(token.reveal()) && !text.contains(&token.reveal()[4..]), "{text}");
    for path in [path, folder.path().join("tokens.json.lock")] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left aside");
    assert_eq!(format!("{token:?}"), "********");
}

#[test]
fn what_cannot_be_a_token_is_refused() {
    let (_folder, file) = folder();
    file.create(NewToken { expires_ms: Some(100), ..new("wall") }, 0).unwrap();
    let check = |name: &str, expires_ms, now_ms, expected: &str| {
        let error = file.create(NewToken { expires_ms, ..new(name) }, now_ms).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check("", None, 0, "1 to 64 characters");
    check(" ", None, 0, "1 to 64 characters");
    check(&"x".repeat(65), None, 0, "1 to 64 characters");
    check("a\nb", None, 0, "control characters");
    check("wall", None, 99, "there is a token named \"wall\"");
    check("late", Some(5), 5, "expired before");
    file.create(new("wall"), 100).expect("the name of an expired token is free");
    assert_eq!(file.list().unwrap().len(), 1);
}

#[test]
fn a_file_that_is_none_is_refused() {
    let check = |text: &[u8], mode: u32, expected: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = TokenFile::open(&path).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    let whole = br#"{"version": 1, "tokens": []}"#;
    check(b"", 0o600, "no file of tokens");
    check(b"{\"version\": 1, \"tokens\": [", 0o600, "no file of tokens");
    check(br#"{"version": 1, "tokens": [], "more": 1}"#, 0o600, "no file of tokens");
    check(br#"{"version": 2, "tokens": []}"#, 0o600, "has version 2");
    check(whole, 0o620, "chmod 600");
    check(whole, 0o602, "chmod 600");
    check(&vec![b' '; (16 << 20) + 1], 0o600, "is larger than");
    let hash = br#"{"version": 1, "tokens": [{"id": "a", "name": "a", "role": "admin", "created_ms": 0, "hash": "sha256:AAAA"}]}"#;
    check(hash, 0o600, "no file of tokens");
}

#[test]
fn writers_do_not_lose_each_others_tokens() {
    let (_folder, file) = folder();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let file = &file;
            scope.spawn(move || {
                for number in 0..8 {
                    file.create(new(&format!("{writer}-{number}")), 0).unwrap();
                }
            });
        }
    });
    assert_eq!(file.list().unwrap().len(), 32);
}

#[tokio::test(start_paused = true)]
async fn a_running_server_follows_the_file() {
    let (folder, file) = folder();
    let (record, token) = file.create(NewToken { expires_ms: Some(50), ..new("wall") }, 0).unwrap();
    let table = TokenTable::open(file.clone(), Instant::now()).unwrap();
    let start = Instant::now();
    let find = |token: &Secret, seconds: f32, now_ms| {
        table.find(token.reveal(), start + Duration::from_secs_f32(seconds), now_ms)
    };
    let valid = |record: &TokenRecord| Found::Valid(record.clone().into(), record.grant().into());
    assert_eq!(find(&token, 0.0, 49), valid(&record));
    assert_eq!(find(&token, 0.0, 50), Found::Expired);
    assert_eq!(find(&Secret::new("ocl_x"), 0.0, 0), Found::Unknown);

    let (second, other) = file.create(new("door"), 0).unwrap();
    assert_eq!(find(&other, 0.5, 0), Found::Unknown, "looked at only once a second");
    assert_eq!(find(&other, 1.0, 0), valid(&second));

    fs::write(folder.path().join("tokens.json"), "{").unwrap();
    assert_eq!(find(&other, 2.0, 0), valid(&second), "the last good one holds");
    fs::write(folder.path().join("tokens.json"), r#"{"version":1,"tokens":[]}"#).unwrap();
    assert_eq!(find(&other, 3.0, 0), Found::Unknown);
    assert_eq!(find(&token, 3.0, 0), Found::Unknown);

    let (third, last) = file.create(new("gate"), 0).unwrap();
    assert_eq!(find(&last, 4.0, 0), valid(&third));
    assert!(table.holds(&third.id, start + Duration::from_secs(4)));
    file.revoke("gate").unwrap();
    assert!(!table.holds(&third.id, start + Duration::from_secs(5)));
    remove(&folder.path().join("tokens.json"));
    assert_eq!(find(&last, 6.0, 0), Found::Unknown, "no file, no tokens");
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}
