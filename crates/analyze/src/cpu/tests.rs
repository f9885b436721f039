use super::*;

fn with_flags(flags: &str) -> CpuFeatures {
    CpuFeatures::parse(&format!(
        "processor\t: 0\nmodel name\t: Some CPU @ 2.10GHz\nflags\t\t: fpu {flags} sse2\n"
    ))
}

#[test]
fn precision_and_class_follow_the_instruction_sets() {
    let check = |flags: &str, class: &str, precision| {
        let cpu = with_flags(flags);
        assert_eq!(cpu.class().split_once(' ').unwrap().1, class, "{flags}");
        assert_eq!(cpu.precision(), precision, "{flags}");
    };
    check("avx2 avx512f avx512_vnni avx512_bf16 amx_bf16 amx_tile amx_int8", "amx_bf16", Precision::Bf16);
    // Tiles without bfloat16 multiplication, and bfloat16 without tiles.
    check("avx512f avx512_vnni amx_tile amx_int8", "avx512_vnni", Precision::F32);
    check("avx2 avx512f avx512_vnni avx512_bf16", "avx512_bf16", Precision::Bf16);
    check("avx2", "avx2", Precision::F32);
    check("avx2_like", "baseline", Precision::F32);
}

#[test]
fn the_kernels_text_is_read() {
    assert_eq!(with_flags("avx2").model, "Some CPU @ 2.10GHz");
    let arm = CpuFeatures::parse("processor : 0\nFeatures\t: fp asimd evtstrm\n");
    assert_eq!((arm.flags, arm.model.as_str()), (vec!["asimd"], ""));
    for text in ["", "flags", "flags:", "\u{0}:::\n:"] {
        assert_eq!(CpuFeatures::parse(text), CpuFeatures::default(), "{text:?}");
    }
}

#[test]
fn this_machine_has_a_core() {
    assert!(cpu_features().cores >= 1);
}
