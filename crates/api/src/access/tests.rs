use std::sync::Arc;

use axum::http::Method;
use ocelli_model::StreamId;
use serde_json::json;

use super::{caller::Sender, *};

fn id(word: &str) -> StreamId {
    word.parse().unwrap()
}

fn grant(role: Role, streams: Option<&[&str]>) -> Arc<Grant> {
    Grant { subject: "test".to_owned(), role, streams: StreamScope::of(streams).unwrap() }.into()
}

#[test]
fn scopes_name_streams_by_id_or_beginning() {
    let check = |words: Option<&[&str]>, inside: &[&str], outside: &[&str]| {
        let scope = StreamScope::of(words).unwrap();
        let holds = |word: &&str| scope.contains(&id(word));
        assert!(inside.iter().all(holds), "{words:?}");
        assert!(!outside.iter().any(holds), "{words:?}");
        let written = serde_json::to_string(&scope).unwrap();
        assert_eq!(serde_json::from_str::<StreamScope>(&written).unwrap(), scope, "{written}");
    };
    check(None, &["a", "front-1"], &[]);
    check(Some(&["*"]), &["a", "front-1"], &[]);
    check(Some(&["a", "*"]), &["b"], &[]);
    check(Some(&[]), &[], &["a"]);
    check(Some(&["cam1"]), &["cam1"], &["cam10", "cam", "CAM1"]);
    check(Some(&["front-*", "cam1"]), &["front-", "front-9", "cam1"], &["front", "afront-1"]);
    for bad in ["", "a*b", "**", "../*", ".*", "-*", "a b", "cam/1"] {
        assert_eq!(StreamScope::of(Some(&[bad])), Err(StreamScopeError::Pattern(bad.to_owned())));
    }
    assert_eq!(StreamScope::of(Some(&vec!["a"; 1001])), Err(StreamScopeError::Many));
}

#[test]
fn a_caller_may_do_what_its_grants_allow() {
    use DeniedReason::{Everything, Role as Low, Stream, Unknown};
    let from = || Sender { address: None, contract: Contract::Native };
    let known = |role, streams| Caller::known(grant(role, streams), None, None, from());
    let check = |caller: &Caller, role, target: Target<'_>, expected: Result<(), DeniedReason>| {
        let found = caller.check(role, target).map_err(|denied| denied.reason);
        assert_eq!(found, expected, "{caller:?} {role} {target:?}");
    };
    let (cam1, cam2) = (id("cam1"), id("cam2"));
    let (one, two) = (Target::Stream(&cam1), Target::Stream(&cam2));
    let viewer = known(Role::Viewer, None);
    check(&viewer, Role::Viewer, one, Ok(()));
    check(&viewer, Role::Viewer, Target::Everything, Ok(()));
    check(&viewer, Role::Operator, one, Err(Low(Role::Operator)));
    let limited = known(Role::Admin, Some(&["cam1"]));
    check(&limited, Role::Operator, one, Ok(()));
    check(&limited, Role::Viewer, two, Err(Stream));
    check(&limited, Role::Viewer, Target::Nothing, Ok(()));
    check(&limited, Role::Admin, Target::Everything, Err(Everything));
    let nobody = Caller::anonymous(Vec::new(), from());
    check(&nobody, Role::Viewer, Target::Nothing, Err(Unknown));
    let rules = vec![grant(Role::Viewer, None), grant(Role::Operator, Some(&["cam1"]))];
    let several = Caller::anonymous(rules, from());
    check(&several, Role::Viewer, two, Ok(()));
    check(&several, Role::Operator, one, Ok(()));
    check(&several, Role::Operator, two, Err(Unknown));
}

#[test]
fn a_handler_that_asked_is_known_to_have() {
    let from = Sender { address: None, contract: Contract::Native };
    let caller = Caller::known(grant(Role::Viewer, None), None, None, from);
    assert!(caller.check(Role::Viewer, Target::Nothing).is_ok() && !caller.asked());
    assert!(caller.clone().may_see(&id("cam1")) && caller.asked());
}

#[test]
fn each_route_says_what_it_needs() {
    let check = |path: &str, operation: serde_json::Value, expected: Result<Needed, &'static str>| {
        let document = json!({"paths": {path: {"summary": "x", "post": operation}}});
        let found = Needs::read(&document);
        let found = found.map(|needs| needs.of(&Method::POST, path).unwrap().clone());
        assert_eq!(found.map_err(|error| error.problem), expected, "{document}");
    };
    let declared = |role: &str, stream: &str| json!({"x-role": role, "x-stream": stream});
    let needed = |role, stream| Ok(Needed { role: Some(role), stream, media: None });
    let named = || "id".to_owned();
    check("/a", declared("public", "none"), Ok(Needed { role: None, stream: Where::Nowhere, media: None }));
    check("/a", declared("viewer", "list"), needed(Role::Viewer, Where::List));
    check("/a", declared("admin", "all"), needed(Role::Admin, Where::Everywhere));
    check("/a/{id}", declared("operator", "path:id"), needed(Role::Operator, Where::Path(named())));
    check("/a", declared("viewer", "query:id"), needed(Role::Viewer, Where::Query(named())));
    check("/a", declared("viewer", "body:id"), needed(Role::Viewer, Where::Body(named())));
    let role = "x-role must be one of public, viewer, operator, admin";
    let ending = || Where::PathBefore(named(), ".m3u8".to_owned());
    check("/a/{id}", declared("viewer", "path:id.m3u8"), needed(Role::Viewer, ending()));
    let media =
        |word: &str, role: &str, stream: &str| json!({"x-role": role, "x-stream": stream, "x-media": word});
    for (word, media_of) in [("kept", Media::Kept), ("made", Media::Made)] {
        let needed = Needed { role: Some(Role::Viewer), stream: Where::Path(named()), media: Some(media_of) };
        check("/a/{id}", media(word, "viewer", "path:id"), Ok(needed));
    }
    let wrong = "x-media must be kept or made, on routes that read media of a stream for viewers";
    check("/a/{id}", media("some", "viewer", "path:id"), Err(wrong));
    check("/a/{id}", media("kept", "operator", "path:id"), Err(wrong));
    check("/a", media("kept", "viewer", "list"), Err(wrong));
    let stream =
        "x-stream must be one of none, all, list, path:NAME, path:NAME.ENDING, query:NAME, body:NAME";
    check("/a", json!({}), Err(role));
    check("/a", declared("root", "none"), Err(role));
    check("/a", json!({"x-role": "viewer"}), Err(stream));
    for bad in ["", "path", "path:", "header:id", "path-id"] {
        check("/a/{id}", declared("viewer", bad), Err(stream));
    }
    check("/a", declared("viewer", "path:id"), Err("x-stream names a part that its path does not have"));
    let public = "what anybody may use can be about no stream; write x-stream none";
    check("/a/{id}", declared("public", "path:id"), Err(public));
}

#[test]
fn routes_are_found_with_and_without_a_slash_at_the_end() {
    let operation = json!({"x-role": "viewer", "x-stream": "none"});
    let document = json!({"paths": {"/a/": {"get": operation}, "/b": {"get": operation, "put": operation}}});
    let needs = Needs::read(&document).unwrap();
    let check = |method: &Method, path: &str, expected: Result<(), &[&str]>| {
        let found = needs.of(method, path).map(|_needed| ());
        assert_eq!(found, expected.map_err(<[&str]>::to_vec), "{method} {path}");
    };
    for path in ["/a", "/a/", "/b", "/b/"] {
        check(&Method::GET, path, Ok(()));
        check(&Method::HEAD, path, Ok(()));
    }
    check(&Method::PUT, "/b", Ok(()));
    check(&Method::PUT, "/a", Err(&["GET"]));
    check(&Method::OPTIONS, "/b", Err(&["GET", "PUT"]));
    check(&Method::GET, "/c", Err(&[]));
}
