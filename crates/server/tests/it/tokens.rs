//! `ocelli token`.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use ocelli_api::access::{Role, StreamScope, TokenFile};
use serde_json::Value;

use crate::{
    args,
    ocelli::{Ran, after, ocelli},
};

/// A command that goes well; what it says to standard error is for people.
fn ran(args: &[std::ffi::OsString]) -> (String, String) {
    let Ran { code, stdout, stderr } = ocelli(args);
    assert_eq!(code, 0, "{stderr}");
    (String::from_utf8(stdout).unwrap(), stderr)
}

fn listed(file: &Path) -> Vec<Value> {
    let (lines, _) = ran(args!["token", "list", "--json", "--file", file]);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_token_is_made_shown_once_listed_and_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("not there yet/tokens.json");
    let create = args![
        "token", "create", "--name", "wall", "--role", "viewer", "--stream", "cam1", "--stream", "front-*",
        "--file", file
    ];
    let (token, said) = ran(create);
    assert!(
        token.starts_with("ocl_") && token.trim_end().len() == 47 && token.lines().count() == 1,
        "{token}"
    );
    assert!(said.contains("wall") && said.contains("viewer on cam1, front-*, until 2"), "{said}");
    assert!(!said.contains(token.trim_end()));
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!std::fs::read_to_string(&file).unwrap().contains(token.trim_end()));

    let (_, said) = ran(args![
        "token",
        "create",
        "--name",
        "me",
        "--role",
        "admin",
        "--expires",
        "never",
        "--file",
        file
    ]);
    assert!(said.contains("admin on all streams, until revoked"), "{said}");
    let (table, _) = ran(args!["token", "list", "--file", file]);
    assert!(table.lines().count() == 2 && !table.contains("ocl_"), "{table}");
    let tokens = listed(&file);
    assert_eq!(tokens[0]["streams"], serde_json::json!(["cam1", "front-*"]));
    let days =
        (tokens[0]["expires_ms"].as_i64().unwrap() - tokens[0]["created_ms"].as_i64().unwrap()) / 86_400_000;
    assert_eq!((days, &tokens[1]["expires_ms"], &tokens[1]["streams"]), (90, &Value::Null, &Value::Null));
    // What the server reads is what the command wrote.
    let records = TokenFile::open(&file).unwrap().list().unwrap();
    assert_eq!((records[1].role, &records[1].streams), (Role::Admin, &StreamScope::ALL));

    ran(args!["token", "revoke", "wall", "--file", file]);
    ran(args!["token", "revoke", tokens[1]["id"].as_str().unwrap(), "--file", file]);
    assert_eq!(listed(&file), [Value::Null; 0]);
    let (said, _) = ran(args!["token", "list", "--file", file]);
    assert!(said.contains("ocelli token create"), "{said}");
}

#[test]
fn wrong_use_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tokens.json");
    let check = |args: &[&str], expected: &str| {
        let args: Vec<std::ffi::OsString> = ["token"]
            .iter()
            .chain(args)
            .map(Into::into)
            .chain(["--file".into(), file.clone().into()])
            .collect();
        let Ran { code, stdout, stderr } = ocelli(&args);
        assert_eq!((code, stdout.len()), (2, 0), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    };
    let create = ["create", "--name", "a", "--role", "viewer"];
    check(&["create", "--name", "a", "--role", "root"], "viewer, operator or admin");
    check(&["create", "--role", "viewer"], "--name");
    check(&["create", "--name", "", "--role", "viewer"], "1 to 64 characters");
    check(&[&create[..], &["--stream", "../x"]].concat(), "names no streams");
    check(&[&create[..], &["--expires", "soon"]].concat(), "12h or 90d");
    check(&["revoke", "a"], "no token has the id or name \"a\"");
    assert!(!file.try_exists().unwrap());
    ran(args!["token", "create", "--name", "a", "--role", "viewer", "--file", file]);
    check(&create, "there is a token named \"a\"");
    std::fs::write(&file, "{").unwrap();
    check(&create, "no file of tokens");
    check(&["list"], "no file of tokens");
    assert_eq!(std::fs::read(&file).unwrap(), b"{");
}

#[test]
fn tokens_are_where_the_configuration_says() {
    let dir = tempfile::tempdir().unwrap();
    let check = |name: &str, value: &Path, expected: &str| {
        let mut command = after("", args!["token", "create", "--name", "a", "--role", "viewer"]);
        let code = ran_with(&mut command, name, value).code;
        assert_eq!(code, 0);
        assert_eq!(listed(&dir.path().join(expected)).len(), 1, "{expected}");
    };
    check("OCELLI_HOME", &dir.path().join("home"), "home/tokens.json");
    check("OCELLI_ACCESS_TOKENS", &dir.path().join("mine.json"), "mine.json");
}

fn ran_with(command: &mut std::process::Command, name: &str, value: &Path) -> Ran {
    crate::ocelli::ran(command.env(name, value))
}
