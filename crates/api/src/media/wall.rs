//! Wall time as people write it (RFC 3339), in milliseconds since 1970. Own code: two functions, and no table of time zones.

use std::fmt;

const DAY_MS: i64 = 86_400_000;
/// Longest year that RFC 3339 can write.
const LAST_MS: i64 = 253_402_300_799_999;

/// Milliseconds since 1970, written `2026-11-29T15:10:53.250Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wall(pub(crate) i64);

impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Times before year 0 or after 9999 come from no clock.
        let ms = self.0.clamp(-62_167_219_200_000, LAST_MS);
        let (day, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
        let (year, month, day) = date(day);
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, milli) = (rest / 1_000 % 60, rest % 1_000);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

/// A moment as RFC 3339 writes it, or as a number of milliseconds since 1970. What is finer than a millisecond is cut off.
pub(super) fn parse(word: &str) -> Option<i64> {
    if let Ok(ms) = word.parse::<i64>() {
        return (0..=LAST_MS).contains(&ms).then_some(ms);
    }
    let bytes = word.as_bytes();
    // `2026-11-29T15:10:53`, then a fraction or none, then the zone.
    let (moment, rest) = bytes.split_at_checked(19)?;
    let marks = [(4, b"-"), (7, b"-"), (10, b"Tt "), (13, b":"), (16, b":")] as [(usize, &[u8]); 5];
    if !marks.iter().all(|(place, known)| known.contains(&moment[*place])) {
        return None;
    }
    let [year, month, day] = [number(&moment[..4])?, number(&moment[5..7])?, number(&moment[8..10])?];
    let [hour, minute, second] =
        [number(&moment[11..13])?, number(&moment[14..16])?, number(&moment[17..19])?];
    let of_clock = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..=60).contains(&second);
    let days = days(year, month, day);
    if !of_clock || date(days) != (year, month, day) {
        return None;
    }
    let (milli, zone) = fraction(rest)?;
    let ms = days * DAY_MS + (hour * 3_600 + minute * 60 + second) * 1_000 + milli - offset_ms(zone)?;
    (0..=LAST_MS).contains(&ms).then_some(ms)
}

/// Milliseconds, and what stands behind them.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = rest.strip_prefix(b".") else { return Some((0, rest)) };
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, zone) = digits.split_at(count);
    let mut milli = digits.iter().take(3).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    for _missing in count..3 {
        milli *= 10;
    }
    (1..=18).contains(&count).then_some((milli, zone))
}

fn offset_ms(zone: &[u8]) -> Option<i64> {
    match zone {
        b"Z" | b"z" => Some(0),
        // A plus sign of a query reads as a space.
        [sign @ (b'+' | b'-' | b' '), rest @ ..] if rest.len() == 5 && rest[2] == b':' => {
            let (hours, minutes) = (number(&rest[..2])?, number(&rest[3..])?);
            let ms = (hours * 60 + minutes) * 60_000;
            (hours < 24 && minutes < 60).then_some(if *sign == b'-' { -ms } else { ms })
        }
        _ => None,
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// Days since 1970 of a date of the Gregorian calendar. Years are counted from March, so that leap days end them.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970: [`days`] backwards.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read() {
        let check = |word: &str, expected: Option<i64>| assert_eq!(parse(word), expected, "{word}");
        check("1970-01-01T00:00:00Z", Some(0));
        check("2026-11-29T15:10:53Z", Some(1_795_965_053_000));
        check("2026-11-29T15:10:53.25Z", Some(1_795_965_053_250));
        check("2026-11-29t15:10:53.2509999z", Some(1_795_965_053_250));
        check("2026-11-29T16:10:53+01:00", Some(1_795_965_053_000));
        check("2026-11-29T16:10:53 01:00", Some(1_795_965_053_000));
        check("2026-11-29T12:40:53-02:30", Some(1_795_965_053_000));
        check("2024-02-29T00:00:00Z", Some(1_709_164_800_000));
        check("1795965053000", Some(1_795_965_053_000));
        for bad in [
            "",
            "x",
            "-1",
            "2026-11-29",
            "2026-11-29T15:10:53",
            "2026-11-29T15:10:53.Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-11-29T24:00:00Z",
            "2026-11-29T15:60:00Z",
            "2026-11-29T15:10:53+1:00",
            "2026-11-29T15:10:53+24:00",
            "2026-11-29T15:10:53Zx",
            "99999999999999999999",
            "9223372036854775807",
            "2026-11-29T15:10:5é",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut ms = 0;
        while ms < LAST_MS {
            assert_eq!(parse(&Wall(ms).to_string()), Some(ms));
            // About 60 days, and a time of day that moves on.
            ms += 5_184_000_000 + 86_399_877;
        }
        assert_eq!(Wall(1_795_965_053_250).to_string(), "2026-11-29T15:10:53.250Z");
        assert_eq!(Wall(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Wall(i64::MIN).to_string(), "0000-01-01T00:00:00.000Z");
    }
}
