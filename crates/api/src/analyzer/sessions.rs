//! Viewer sessions: which one was a stream's current one when an analysis was made.

use std::collections::VecDeque;

/// Changes of session that are remembered; of older analyses none is known.
const REMEMBERED: usize = 64;
const LONGEST: usize = 128;

/// A place in a stream: ordinal of the run and PTS. `None` is before everything.
pub(super) type Spot = Option<(u32, i64)>;

/// From after a place on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Session {
    id: String,
    after: Spot,
}

/// The sessions of a stream. In memory only: after a restart of the server no analysis carries one.
#[derive(Clone, Debug, Default)]
pub(super) struct Sessions {
    known: VecDeque<Session>,
}

/// Analyses after the first place, up to and with the second; no second: without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) after: Spot,
    pub(super) until: Spot,
}

impl Stretch {
    /// Everything.
    pub(super) const ALL: Self = Self { after: None, until: None };
}

/// What is no session id, for the client.
pub(super) fn check(id: &str) -> Result<(), String> {
    if (1..=LONGEST).contains(&id.len()) && !id.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!("session_id: give 1 to {LONGEST} bytes of text"))
}

impl Sessions {
    /// Makes a session the current one. `newest` is the last analysis that was made before.
    pub(super) fn enter(&mut self, id: &str, newest: Spot) {
        let last = self.known.back();
        if last.is_some_and(|last| last.id == id) {
            return;
        }
        // Two that ask at once may read the newest in another order than they come here.
        let after = last.map_or(newest, |last| newest.max(last.after));
        if self.known.len() == REMEMBERED {
            self.known.pop_front();
        }
        self.known.push_back(Session { id: id.to_owned(), after });
    }

    /// Whether it is the current one.
    pub(super) fn is_current(&self, id: &str) -> bool {
        self.known.back().is_some_and(|last| last.id == id)
    }

    /// The session of an analysis.
    pub(super) fn of(&self, run: u32, pts: i64) -> Option<&str> {
        let at = Some((run, pts));
        self.known.iter().rev().find(|session| session.after < at).map(|session| session.id.as_str())
    }

    /// Where analyses of a session are, the newest stretch first.
    pub(super) fn stretches(&self, id: &str) -> Vec<Stretch> {
        let ends = self.known.iter().skip(1).map(|next| Some(next.after)).chain([None]);
        let all = self.known.iter().zip(ends).filter(|(session, _)| session.id == id);
        let stretches = all.filter_map(|(session, end)| match end {
            None => Some(Stretch { after: session.after, until: None }),
            // It ended before there was anything.
            Some(None) => None,
            Some(until) => Some(Stretch { after: session.after, until }),
        });
        let mut stretches: Vec<_> = stretches.collect();
        stretches.reverse();
        stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn analyses_carry_the_session_that_was_current() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.of(0, 5), None);
        sessions.enter("early", None);
        sessions.enter("a", None);
        sessions.enter("a", Some((0, 7)));
        sessions.enter("b", Some((0, 10)));
        sessions.enter("a", Some((2, -5)));
        let check =
            |run, pts, expected: &str| assert_eq!(sessions.of(run, pts), Some(expected), "{run} {pts}");
        check(0, i64::MIN, "a");
        check(0, 10, "a");
        check(0, 11, "b");
        check(1, -100, "b");
        check(2, -5, "b");
        check(2, -4, "a");
        check(9, 0, "a");
        let stretch = |after, until| Stretch { after, until };
        assert_eq!(sessions.stretches("a"), [stretch(Some((2, -5)), None), stretch(None, Some((0, 10)))]);
        assert_eq!(sessions.stretches("b"), [stretch(Some((0, 10)), Some((2, -5)))]);
        assert_eq!(sessions.stretches("early"), []);
        assert_eq!(sessions.stretches("none"), []);
    }

    #[test]
    fn places_never_go_back_and_old_sessions_go() {
        let mut sessions = Sessions::default();
        sessions.enter("a", Some((1, 10)));
        sessions.enter("b", Some((1, 5)));
        assert_eq!((sessions.of(1, 7), sessions.of(1, 11)), (None, Some("b")));
        for number in 0..200 {
            sessions.enter(&format!("s{number}"), Some((2, number)));
        }
        assert_eq!(sessions.known.len(), REMEMBERED);
        assert_eq!((sessions.of(1, 11), sessions.of(2, 200)), (None, Some("s199")));
    }

    #[test]
    fn session_ids_are_short_words() {
        for good in ["a", "7f3c-…", &"x".repeat(LONGEST)] {
            check(good).unwrap();
        }
        for bad in ["", "a\nb", &"x".repeat(LONGEST + 1)] {
            check(bad).unwrap_err();
        }
    }
}
