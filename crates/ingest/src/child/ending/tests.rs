use super::*;

#[test]
fn an_end_is_told_in_words() {
    let limits = ChildLimits::default();
    let died =
        |signal: i32, words: &str| ChildEnd::of(ExitStatus::from_raw(signal), words, &limits).to_string();
    let cases = [
        (died(libc::SIGXCPU, ""), "was killed: it used more than 10 s of processor time at once"),
        (died(libc::SIGSYS, ""), "was killed: it tried what it may not (a forbidden system call)"),
        (
            died(libc::SIGABRT, "memory allocation of 5000000000 bytes failed\n"),
            "needed more memory than its 1024 MiB",
        ),
        (
            died(libc::SIGABRT, "free(): invalid pointer\n"),
            "died of signal 6 (SIGABORT) (free(): invalid pointer)",
        ),
        (died(libc::SIGSEGV, ""), "died of signal 11 (SIGSEGV)"),
        (died(63, ""), "died of signal 63"),
        (
            ChildEnd::of(ExitStatus::from_raw(101 << 8), "a\n\u{1b}b", &limits).to_string(),
            "gave up with code 101 (a  b)",
        ),
        (ChildEnd::Late(limits.wall).to_string(), "was killed: it gave no answer for 30 s"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn words_of_a_child_are_one_line_of_some_length() {
    assert_eq!(clean(" a\nb\u{7}c\u{1b}[31m "), "a b c [31m");
    assert_eq!(clean(&"é".repeat(10_000)).chars().count(), MOST_LETTERS);
}
