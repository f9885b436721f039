//! Children that were taken over: whatever they answer, the parent ends them and says so.

use ocelli_ingest::{
    Source as _, SourceError,
    child::{ChildEnd, ChildError},
};
use ocelli_media::decode::DecodeError;
use ocelli_testkit::Clip;

use super::{chain, liar, open, soon};

const STARTED: &str = r#"{"Ok":null}"#;
const OPENED: &str = concat!(
    r#"{"Ok":{"format":"mp4","damage":null,"parameters":{"id":0,"codec":"h264","extradata":0,"width":64,"#,
    r#""height":48,"quarter_turns":0,"time_base":[1,90000],"reorder_hint":0,"frame_rate":0,"duration":null}}}"#
);
const UNIT: &str = concat!(
    r#"{"parameters":[],"damage":null,"then":"More","units":[{"parameters":0,"pts":7,"dts":null,"#,
    r#""keyframe":true,"damaged":false,"presentable":true,"data":4,"palette":null,"change":null}]}#4"#
);

/// The reason why it was ended, from whichever question on.
fn ended(answers: &[&str]) -> String {
    let path = Clip::new(64, 48).frames(10).cached();
    let mut source = match open(&path, &soon(liar(answers))) {
        Ok(source) => source,
        Err(error) => return lied(error),
    };
    let unit = match source.next_unit() {
        Ok(unit) => unit.expect("a unit"),
        Err(error) => return lied(error),
    };
    let mut decoder = match source.decoder().unwrap()(&unit.parameters) {
        Ok(decoder) => decoder,
        Err(error) => return gone(&error),
    };
    gone(&decoder.send(&unit, true).expect_err("it lied"))
}

fn lied(error: SourceError) -> String {
    match error {
        SourceError::Child(ChildError::Ended(ChildEnd::Lied(what))) => what,
        other => chain(&other),
    }
}

fn gone(error: &DecodeError) -> String {
    assert!(matches!(error, DecodeError::Gone(_)), "{error:?}");
    error.to_string()
}

#[test]
fn what_is_no_message_ends_it() {
    for answers in [&["!"][..], &[STARTED, "!"], &[STARTED, OPENED, "!"], &[STARTED, OPENED, UNIT, "!"]] {
        let why = ended(answers);
        assert!(why.contains("a message of 4294967295 and 4294967295 bytes"), "{answers:?}: {why}");
    }
    for nonsense in ["{}", "[", "null", r#"{"Ok":7}"#] {
        assert!(!ended(&[STARTED, nonsense]).is_empty());
    }
}

#[test]
fn promises_that_are_not_kept_end_it() {
    let opened = |from: &str, to: &str| OPENED.replace(from, to);
    let unit = |from: &str, to: &str| UNIT.replace(from, to);
    let cases = [
        (vec![opened(r#""extradata":0"#, r#""extradata":9"#)], "9 bytes announced where 0 are left"),
        (vec![format!("{OPENED}#3")], "3 bytes too many"),
        (vec![opened("[1,90000]", "[0,1]")], "a time base of 0/1 s"),
        (vec![opened("[1,90000]", "[4000000000,1]")], "a time base of 4000000000/1 s"),
        (vec![opened("h264", &"x".repeat(500))], "a name that is none"),
        (vec![OPENED.to_owned(), unit(r#""parameters":0"#, r#""parameters":9"#)], "parameters never told"),
        (vec![OPENED.to_owned(), unit(r#""data":4"#, r#""data":5"#)], "5 bytes announced where 4 are left"),
        (vec![OPENED.to_owned(), unit("#4", "#5")], "1 bytes too many"),
        (
            vec![OPENED.to_owned(), r#"{"parameters":[],"damage":null,"then":"More","units":[]}"#.to_owned()],
            "no units",
        ),
    ];
    for (answers, words) in cases {
        let answers: Vec<&str> = [STARTED].into_iter().chain(answers.iter().map(String::as_str)).collect();
        let why = ended(&answers);
        assert!(why.contains(words), "{words}: {why}");
    }
}

#[test]
fn pictures_that_cannot_be_end_it() {
    let picture = |pts: i64, width: u64, height: u64, tail: u64| {
        format!(
            r#"{{"last":true,"pulled":{{"Picture":{{"pts":{pts},"damaged":false,"unit_damaged":null,"pixels":{{"Planes":{{"width":{width},"height":{height},"full_range":false,"bt709":false}}}}}}}}}}#{tail}"#
        )
    };
    let cases = [
        (picture(7, 100_000, 100_000, 0), "a picture of 100000x100000"),
        (picture(7, 0, 10, 0), "a picture of 0x10"),
        (picture(7, 4_294_967_295, 4_294_967_295, 0), "a picture of 4294967295x4294967295"),
        (picture(7, 64, 48, 64 * 48), "768 bytes announced where 0 are left"),
        (picture(7, 2, 2, 1 << 20), "bytes too many"),
        (picture(8, 2, 2, 6), "a picture that was not asked for"),
    ];
    for (item, words) in cases {
        let decoded = format!("{STARTED} {item}");
        let why = ended(&[STARTED, OPENED, UNIT, STARTED, &decoded]);
        assert!(why.contains(words), "{words}: {why}");
    }
    let more = r#"{"last":false,"pulled":"Nothing"}"#;
    let endless = [STARTED].into_iter().chain(std::iter::repeat_n(more, 1100)).collect::<Vec<_>>().join(" ");
    assert!(ended(&[STARTED, OPENED, UNIT, STARTED, &endless]).contains("pictures without end"));
}

#[test]
fn answers_that_never_end_do() {
    // Byte after byte, or silence.
    for answers in [&[STARTED, "."][..], &[STARTED], &[STARTED, OPENED]] {
        let why = ended(answers);
        assert!(why.contains("was killed: it gave no answer for 1 s"), "{answers:?}: {why}");
    }
}

#[test]
fn a_child_that_cannot_be_locked_down_decodes_nothing() {
    let path = Clip::new(64, 48).frames(10).cached();
    let error = open(&path, &liar(&[r#"{"Err":"no_seccomp"}"#])).unwrap_err();
    assert!(chain(&error).contains("does not let a process be locked in: no_seccomp"), "{error}");
}
