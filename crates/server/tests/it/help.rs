//! `--help` teaches.

use crate::{args, ocelli::ocelli};

#[test]
fn help_has_examples_and_exit_codes() {
    for (command, example) in
        [("extract", "ocelli extract street.mp4"), ("analyze", "ocelli analyze street.mp4")]
    {
        let ran = ocelli(args![command, "--help"]).whole();
        let help = String::from_utf8(ran.stdout).unwrap();
        assert!(help.contains("Examples:") && help.matches(example).count() >= 3, "{help}");
    }
    for args in [args!["--help"] as &[_], args![]] {
        let ran = ocelli(args);
        let help = [String::from_utf8(ran.stdout).unwrap(), ran.stderr].concat();
        for word in ["extract", "analyze", "models", "doctor", "Exit codes: 0"] {
            assert!(help.contains(word), "{word} in {help}");
        }
    }
    for args in [args!["models", "--help"] as &[_], args!["doctor", "--help"], args!["token", "--help"]] {
        let help = String::from_utf8(ocelli(args).whole().stdout).unwrap();
        assert!(help.contains("Usage: ocelli") && help.contains("Examples:"), "{help}");
    }
}

#[test]
fn the_version_is_that_of_the_crate() {
    let ran = ocelli(args!["--version"]).whole();
    assert_eq!(ran.stdout, concat!("ocelli ", env!("CARGO_PKG_VERSION"), "\n").as_bytes());
}
