//! Names of functions in BTF (Documentation/bpf/btf.rst of the kernel).

use std::collections::HashMap;

const KIND_FUNC: u32 = 12;

/// The name of every function, by the number of its type.
pub(super) fn functions(btf: &[u8]) -> HashMap<u32, String> {
    let [header, types, strings] = [4, 8, 16].map(|at| word(btf, at) as usize);
    let (mut at, strings) = (header + types, header + strings);
    let mut names = HashMap::new();
    for number in 1.. {
        if at >= strings {
            break;
        }
        let info = word(btf, at + 4);
        let (kind, count) = ((info >> 24) & 0x1f, info as usize & 0xffff);
        if kind == KIND_FUNC {
            names.insert(number, string(&btf[strings + word(btf, at) as usize..]));
        }
        at += 12 + tail_bytes(kind, count);
    }
    names
}

/// How much follows a type.
fn tail_bytes(kind: u32, count: usize) -> usize {
    match kind {
        // An integer, a variable, a tag.
        1 | 14 | 17 => 4,
        // An array.
        3 => 12,
        // Structs, unions, sections and long enums: three words a member.
        4 | 5 | 15 | 19 => 12 * count,
        // Enums and parameters: two words each.
        6 | 13 => 8 * count,
        _ => 0,
    }
}

fn word(btf: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(btf[at..at + 4].try_into().expect("four bytes"))
}

fn string(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}
