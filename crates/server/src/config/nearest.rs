//! What somebody may have meant.

/// Longer words are not compared: that takes quadratic time.
const MOST_BYTES: usize = 64;

/// The name most like `wrong`: at most two slips away in its last part, and in the same section rather than in another.
pub(super) fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > MOST_BYTES {
        return None;
    }
    let wrong = wrong.to_lowercase();
    let (section, last) = parts(&wrong);
    let allowed = (last.chars().count() / 3).clamp(1, 2);
    let ranked = names.into_iter().map(|name| {
        let lower = name.to_lowercase();
        let (other, candidate) = parts(&lower);
        ((strsim::damerau_levenshtein(last, candidate), other != section), name)
    });
    ranked.filter(|((slips, _), _)| *slips <= allowed).min_by_key(|(rank, _)| *rank).map(|(_, name)| name)
}

/// What comes before the last point, and after it.
fn parts(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or(("", name))
}

/// `; did you mean server.listen?`, or nothing.
pub(super) fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wrong, names).map_or_else(String::new, |name| format!("; did you mean {name}?"))
}
