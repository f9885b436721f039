use super::*;

#[test]
fn faults_are_repeatable_and_of_the_asked_size() {
    let bytes = noise(1, 4096);
    assert_eq!(bytes, noise(1, 4096));
    assert_ne!(bytes, noise(2, 4096));
    let flipped = flip_bits(&bytes, 5, 3, 100..200);
    assert_eq!(flipped, flip_bits(&bytes, 5, 3, 100..200));
    let bits: u32 = bytes.iter().zip(&flipped).map(|(a, b)| (a ^ b).count_ones()).sum();
    assert!((1..=3).contains(&bits), "{bits} bits differ");
    assert_eq!((&flipped[..100], &flipped[200..]), (&bytes[..100], &bytes[200..]));
    assert_eq!(remove(&bytes, 10..4000).len(), 106);
    assert_eq!(remove(&bytes, 4000..9000).len(), 4000);
    assert_eq!(truncate(&bytes, 10_000).len(), 4096);
    assert!((4096 - 30..4096).contains(&lose(&bytes, 3, 3, 10).len()));
}

#[test]
fn ranges_outside_the_bytes_do_nothing() {
    assert_eq!(flip_bits(&[1, 2], 5, 3, 10..20), [1, 2]);
    assert!(flip_bits(&[], 5, 3, 0..20).is_empty());
    assert_eq!(remove(&[1, 2], 5..9), [1, 2]);
    assert!(lose(&[], 1, 4, 3).is_empty());
}

#[test]
fn a_full_disk_keeps_what_fitted_and_refuses_the_rest() {
    let mut disk = FullDisk::new(Vec::new(), 5);
    assert_eq!(disk.write(b"abc").expect("fits"), 3);
    let error = disk.write_all(b"defg").expect_err("does not fit");
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(disk.into_inner(), b"abcde");
}
