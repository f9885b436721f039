//! Dates as playlists write them.

/// Nanoseconds since 1970 of `2026-11-29T15:04:05.123+01:00` (ISO 8601, RFC 8216 section 4.3.2.6); `None` where the zone is
/// missing, which would be a guess.
pub fn unix_ns(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let mut parts = date.splitn(3, '-').map(|part| number(part, 9999));
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let (clock, zone) = time.split_at(time.find(['Z', 'z', '+', '-'])?);
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (number(parts.next()?, 23)?, number(parts.next()?, 59)?);
    let (second, fraction) = match parts.next().unwrap_or("0").split_once('.') {
        Some((second, fraction)) => (number(second, 60)?, fraction),
        None => (number(clock.splitn(3, ':').nth(2).unwrap_or("0"), 60)?, ""),
    };
    let digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nanos = format!("{fraction:0<9}").get(..9)?.parse::<i64>().ok().filter(|_| digits)?;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// Digits up to a limit.
fn number(word: &str, most: i64) -> Option<i64> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|number| digits && *number <= most)
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let (hours, minutes) = match rest.split_once(':') {
        Some(pair) => pair,
        None => rest.split_at_checked(2)?,
    };
    let minutes = if minutes.is_empty() { 0 } else { number(minutes, 59)? };
    let seconds = number(hours, 23)? * 3600 + minutes * 60;
    Some(if sign == "-" { -seconds } else { seconds })
}

/// Days from 1970 in the Gregorian calendar: years are counted from March, so that a leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T01:00:00.5+01:00", Some(500_000_000)),
            ("2000-02-29T12:00:00.000-0330", Some(951_838_200_000_000_000)),
            ("2026-11-29T15:04:05.123456789Z", Some(1_795_964_645_123_456_789)),
            ("2026-11-29 15:04:05Z", Some(1_795_964_645_000_000_000)),
            ("2026-11-29T15:04:05", None),
            ("2026-13-29T15:04:05Z", None),
            ("2026-11-29T25:04:05Z", None),
            ("2026-11-29T15:04:05.1x3Z", None),
            ("9999-12-31T23:59:59Z", None),
            ("canary", None),
            ("", None),
            ("TZ", None),
            ("-T-", None),
            ("2026-11-29T15:04:05+ä", None),
        ];
        for (text, expected) in cases {
            assert_eq!(unix_ns(text), expected, "{text}");
        }
    }
}
