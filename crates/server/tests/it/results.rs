//! What `ocelli analyze` prints.

use serde_json::Value;

/// One object per line, each line whole.
pub(crate) fn lines(stdout: &[u8]) -> Vec<Value> {
    let text = str::from_utf8(stdout).expect("JSON is UTF-8");
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is whole: {text:?}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The lines without what may differ between two runs.
pub(crate) fn untimed(stdout: &[u8]) -> Vec<String> {
    let without = |mut line: Value| {
        if let Some(line) = line.as_object_mut() {
            line.remove("timing_ms");
        }
        line.to_string()
    };
    lines(stdout).into_iter().map(without).collect()
}

/// Run, PTS and slot of each line.
pub(crate) fn places(lines: &[Value]) -> Vec<(u64, i64, Option<i64>)> {
    let run = |line: &Value| line["run"].as_u64().expect("a run");
    let pts = |line: &Value| line["pts"].as_i64().expect("a PTS");
    lines.iter().map(|line| (run(line), pts(line), line["slot"].as_i64())).collect()
}
