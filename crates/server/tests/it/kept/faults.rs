//! Stores that cannot be used: a clear word, nothing lost, nothing half done.

use std::{
    fs::{self, Permissions},
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use super::{analyze, clip, exported, ledgers};
use crate::{
    args,
    ocelli::{after, bound, file, home, ocelli, ran},
    results::lines,
};

#[test]
fn a_full_disk_keeps_what_was_printed() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    // Room for the empty store and little more: the limit is one of each file.
    let full = "ulimit -f 190; trap '' XFSZ";
    let args = args!["analyze", clip(), "--fps", "all", "--confidence", "0.01", "--store", store];
    let ran = ran(&mut after(full, args));
    assert!((1..=2).contains(&ran.code), "{}", ran.stderr);
    assert!(ran.stderr.contains("no room left for the store"), "{}", ran.stderr);
    let printed = lines(&ran.stdout);
    assert!(printed.len() < 90, "the limit was met");
    let kept = exported(&store, &[]);
    assert_eq!(kept[..printed.len()], printed[..]);
    ledgers(&store);
    // With room again the same command finishes the work.
    let whole = analyze(&clip(), &store, args!["--fps", "all", "--confidence", "0.01"]).whole();
    assert_eq!(lines(&whole.stdout).len(), 90);
    assert_eq!(lines(&whole.stdout)[..printed.len()], printed[..]);
}

#[test]
fn a_second_process_is_refused_and_readers_are_not() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocelli"));
    command.args(args!["analyze", clip(), "--fps", "all", "--store", store]).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(child.stdout.take().unwrap()).lines();
    printed.next().unwrap().unwrap();
    // It cannot end: nobody reads what it prints, and a pipe holds less than all of it. Should it end all the same, the
    // second process would find nothing to do.
    let second = analyze(&clip(), &store, &[]);
    if child.try_wait().unwrap().is_none() {
        second.refused(2, &["in use by", &child.id().to_string()]);
        assert!(!exported(&store, &[]).is_empty(), "readers see what is committed");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    analyze(&clip(), &store, args!["--fps", "all"]).whole();
}

#[test]
fn what_is_no_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let reading: [&[&str]; 5] = [
        &["runs"],
        &["ledger"],
        &["results", "list"],
        &["results", "diff", "aaaa", "bbbb"],
        &["store", "check"],
    ];
    let check = |name: &str, words: &[&str]| {
        let store = folder.path().join(name);
        for command in reading {
            let mut args: Vec<std::ffi::OsString> = command.iter().map(Into::into).collect();
            args.extend_from_slice(args!["--store", store]);
            ocelli(&args).refused(2, words);
        }
    };
    check("none", &["there is no store", "none", "ocelli analyze"]);
    assert!(!folder.path().join("none").try_exists().unwrap(), "reading makes nothing");
    let words = file(folder.path(), "words.txt", b"not a folder");
    check("words.txt", &["words.txt is a file", "a store is a folder"]);
    check("words.txt/below", &["words.txt is a file", "a store is a folder"]);
    fs::create_dir(folder.path().join("other")).unwrap();
    file(&folder.path().join("other"), "ocelli.db", b"");
    check("other/ocelli.db", &["name its folder", "other"]);
    if home().is_some() {
        analyze(&clip(), &words, &[]).refused(2, &["words.txt is a file"]);
    }
    for (name, bytes) in [("text", b"not a database, only words".repeat(400)), ("zeros", vec![0; 8192])] {
        fs::create_dir(folder.path().join(name)).unwrap();
        file(&folder.path().join(name), "ocelli.db", &bytes);
        check(name, &["is no store or is damaged"]);
        if home().is_some() {
            analyze(&clip(), &folder.path().join(name), &[]).refused(2, &["is no store or is damaged"]);
        }
        assert_eq!(fs::read(folder.path().join(name).join("ocelli.db")).unwrap(), bytes, "not touched");
    }
}

#[test]
fn a_truncated_database_is_told() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("seen");
    analyze(&clip(), &store, args!["--fps", "all"]).whole();
    let database = store.join("ocelli.db");
    assert!(!store.join("ocelli.db-wal").try_exists().unwrap(), "all is in the database when the call ends");
    let whole = fs::read(&database).unwrap();
    for length in [100, 4096, whole.len() / 2, whole.len() - 4096] {
        fs::write(&database, &whole[..length]).unwrap();
        drop(fs::remove_file(store.join("ocelli.db-wal")));
        drop(fs::remove_file(store.join("ocelli.db-shm")));
        let checked = ocelli(args!["store", "check", "--store", store]);
        assert!(
            (1..=2).contains(&checked.code) && !checked.stderr.is_empty(),
            "{length}: {}",
            checked.stderr
        );
    }
    fs::write(&database, &whole).unwrap();
    ledgers(&store);
}

#[test]
fn a_store_that_cannot_be_written() {
    if home().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let input = file(folder.path(), "clip.mp4", &fs::read(clip()).unwrap());
    let store = folder.path().join("seen");
    fs::create_dir(&store).unwrap();
    fs::set_permissions(&store, Permissions::from_mode(0o555)).unwrap();
    let args = args!["analyze", input, "--store", store].to_vec();
    let Some(mut command) = bound(folder.path(), &args) else { return };
    command.env("OCELLI_HOME", home().unwrap());
    let ran = ran(&mut command);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot be written"), "{}", ran.stderr);
    assert_eq!(fs::read_dir(&store).unwrap().count(), 0);
}
