use super::{OpenName, key, location};

#[test]
fn open_names_tell_what_they_hold() {
    let name = OpenName { number: u64::MAX, run: 7, began_ms: -12 };
    let key = name.key(&"cam".parse().unwrap());
    assert_eq!(key, "open/cam/7-18446744073709551615--12.mp4");
    assert_eq!(OpenName::read(key.strip_prefix("open/cam/").unwrap()), Some(name));
    for foreign in
        ["", "1-2.mp4", "1-2-3", "1-2-3-4.mp4", "01-2-3.mp4", "a-2-3.mp4", "1-2-3.mp4.new", "-1-2-3.mp4"]
    {
        assert_eq!(OpenName::read(foreign), None, "{foreign}");
    }
}

#[test]
fn locations_stay_in_their_folder() {
    assert_eq!(key(&location(&"cam".parse().unwrap(), 3, 9)).unwrap(), "media/cam/3/9.mp4");
    for foreign in ["", "a/b", "a/b/c/d", "../b/c", "a/../c", "a//c", "/a/b", "a/b/..", "a/b/\0"] {
        assert_eq!(key(foreign), None, "{foreign:?}");
    }
}
