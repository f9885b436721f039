use super::*;

fn base(den: u32) -> TimeBase {
    TimeBase::new(1, den).unwrap()
}

#[test]
fn rates_are_read_exactly() {
    let cases =
        [("1", 1, 1), ("0.1", 1, 10), (".5", 1, 2), ("29.97", 2997, 100), ("30000/1001", 30000, 1001)];
    for (text, num, den) in cases {
        assert_eq!(text.parse::<Rate>().unwrap(), Rate { num, den }, "{text}");
    }
}

#[test]
fn bad_rates_are_refused_with_a_reason() {
    for text in
        ["", "x", "1e3", "nan", "inf", "1/2/3", "1.2.3", "+1", " 1", "0.1234567", "99999999999999999999"]
    {
        assert!(matches!(text.parse::<Rate>(), Err(RateError::NotARate(_))), "{text}");
    }
    for text in ["0", "0.0", "1/0", "0/1", "-1", "-0.5", "100001", "1/1000001"] {
        assert!(matches!(text.parse::<Rate>(), Err(RateError::OutOfRange(_))), "{text}");
    }
}

#[test]
fn slots_are_centred_on_multiples_of_the_period() {
    let clock = SlotClock::new(90_000, base(90_000), "1".parse().unwrap());
    assert_eq!(clock.slot(90_000), 0);
    assert_eq!(clock.slot(45_000), 0);
    assert_eq!(clock.slot(44_999), -1);
    assert_eq!(clock.slot(134_999), 0);
    assert_eq!(clock.slot(135_000), 1);
    assert!(clock.reaches_centre(180_000, 1));
    assert!(!clock.reaches_centre(179_999, 1));
}

#[test]
fn the_ends_of_slots_agree_with_membership() {
    for rate in ["1", "0.3", "30000/1001", "7", "1000"] {
        let clock = SlotClock::new(-123, base(1000), rate.parse().unwrap());
        for slot in [-3, 0, 1, 2, 1000] {
            let first = clock.first_pts(slot);
            assert!(clock.slot(first) >= slot, "{rate} {slot}");
            assert!(clock.slot(first - 1) < slot, "{rate} {slot}");
        }
        for pts in [-123, 0, 5_000] {
            let slot = clock.last_centre(pts);
            assert!(clock.reaches_centre(pts, slot) && !clock.reaches_centre(pts, slot + 1), "{rate} {pts}");
        }
    }
}

#[test]
fn extreme_times_do_not_overflow() {
    let clock = SlotClock::new(i64::MIN, TimeBase::new(u32::MAX, 1).unwrap(), "100000".parse().unwrap());
    let _ =
        (clock.slot(i64::MAX), clock.slot(i64::MIN), clock.first_pts(i64::MAX), clock.last_centre(i64::MAX));
}

#[test]
fn times_beyond_every_slot_stay_beyond() {
    // More slots than ticks: the slot of the last PTS does not fit 64 bits.
    for rate in ["31", "60", "120", "1000", "99999"] {
        let clock = SlotClock::new(0, base(30), rate.parse().unwrap());
        assert!(clock.slot(i64::MAX) > clock.slot(1 << 40), "{rate}");
        assert!(clock.slot(i64::MIN) < clock.slot(-1 << 40), "{rate}");
        assert!(clock.last_centre(i64::MAX) > clock.last_centre(1 << 40), "{rate}");
        let clock = SlotClock::new(0, base(90_000), rate.parse().unwrap());
        assert!(clock.first_pts(i64::MAX) > clock.first_pts(1 << 40), "{rate}");
    }
}
