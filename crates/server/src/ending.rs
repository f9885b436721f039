//! How a command ended, in the words and exit codes of its contract.

use std::{io::Write as _, process::ExitCode};

/// 0 whole, 1 partial, 2 unusable input or wrong use. Ordered by severity.
#[derive(Debug)]
pub(crate) enum Ending {
    /// Everything that was due has its result.
    Whole,
    /// Valid results, but not all of them; one line per reason.
    Partial(Vec<String>),
    /// Nothing could be done.
    Unusable(Vec<String>),
}

impl Ending {
    /// How a command ends that could not go on.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let closed = |cause: &std::io::Error| cause.kind() == std::io::ErrorKind::BrokenPipe;
        // Whoever reads has seen enough, as `head` does.
        if error.downcast_ref().is_some_and(closed) { Self::Whole } else { Self::unusable(error) }
    }

    pub(crate) fn unusable(error: &anyhow::Error) -> Self {
        Self::Unusable(vec![chain(error)])
    }

    /// The ending of several inputs: unusable only if all are.
    pub(crate) fn all(endings: Vec<Self>) -> Self {
        let unusable = endings.iter().all(|ending| matches!(ending, Self::Unusable(_)));
        let lines: Vec<String> = endings
            .into_iter()
            .flat_map(|ending| match ending {
                Self::Whole => Vec::new(),
                Self::Partial(lines) | Self::Unusable(lines) => lines,
            })
            .collect();
        match (lines.is_empty(), unusable) {
            (true, _) => Self::Whole,
            (false, true) => Self::Unusable(lines),
            (false, false) => Self::Partial(lines),
        }
    }

    /// Prints the reasons and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        let (code, lines) = match self {
            Self::Whole => (0, Vec::new()),
            Self::Partial(lines) => (1, lines),
            Self::Unusable(lines) => (2, lines),
        };
        let mut out = std::io::stderr().lock();
        for line in lines.iter().filter(|line| !line.is_empty()) {
            // Nobody is left to tell when standard error is gone.
            drop(writeln!(out, "ocelli: {line}"));
        }
        ExitCode::from(code)
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for part in error.chain().map(ToString::to_string) {
        // Transparent wrappers repeat what they wrap.
        if !line.ends_with(&part) {
            line = if line.is_empty() { part } else { format!("{line}: {part}") };
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_inputs_are_unusable_only_together() {
        let bad = || Ending::Unusable(vec!["x".to_owned()]);
        assert!(matches!(Ending::all(vec![Ending::Whole, Ending::Whole]), Ending::Whole));
        assert!(
            matches!(Ending::all(vec![Ending::Whole, bad()]), Ending::Partial(lines) if lines.len() == 1)
        );
        assert!(matches!(Ending::all(vec![bad(), bad()]), Ending::Unusable(lines) if lines.len() == 2));
    }

    #[test]
    fn causes_are_joined_without_repeating() {
        let error = anyhow::anyhow!("disk full").context("cannot write a.jpg").context("a.mp4");
        assert_eq!(chain(&error), "a.mp4: cannot write a.jpg: disk full");
    }
}
