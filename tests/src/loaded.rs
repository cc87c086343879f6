//! A loaded program as the kernel holds it: which functions it has, and which
//! of them calls which.

mod names;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use crate::kernel::{bpf, open_pin, owned};

// include/uapi/linux/bpf.h
const BPF_OBJ_GET_INFO_BY_FD: i64 = 15;
const BPF_BTF_GET_FD_BY_ID: i64 = 19;

/// An instruction: what to do, registers, offset, constant.
type Instruction = [u8; 8];

/// A function of a program.
#[derive(Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The functions that it calls, or gives to a helper to call.
    pub calls: Vec<usize>,
}

#[repr(C)]
#[derive(Default)]
struct Request {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

/// `bpf_prog_info`, up to what is used here.
#[repr(C)]
#[derive(Default)]
struct ProgramInfo {
    kind: u32,
    id: u32,
    tag: [u8; 8],
    jited_prog_len: u32,
    xlated_prog_len: u32,
    jited_prog_insns: u64,
    xlated_prog_insns: u64,
    load_time: u64,
    created_by_uid: u32,
    nr_map_ids: u32,
    map_ids: u64,
    name: [u8; 16],
    ifindex: u32,
    flags: u32,
    netns_dev: u64,
    netns_ino: u64,
    nr_jited_ksyms: u32,
    nr_jited_func_lens: u32,
    jited_ksyms: u64,
    jited_func_lens: u64,
    btf_id: u32,
    func_info_rec_size: u32,
    func_info: u64,
    nr_func_info: u32,
    nr_line_info: u32,
}

/// `bpf_btf_info`, likewise.
#[repr(C)]
#[derive(Default)]
struct BtfInfo {
    btf: u64,
    btf_size: u32,
    id: u32,
}

/// The functions of a pinned program that the JIT has compiled, in the
/// kernel's order: the program itself comes first.
pub fn functions(pin: &Path) -> io::Result<Vec<Function>> {
    let program = open_pin(pin)?;
    let mut size = ProgramInfo::default();
    read_info(&program, &mut size)?;
    let mut instructions: Vec<Instruction> = vec![[0; 8]; size.xlated_prog_len as usize / 8];
    let mut starts: Vec<[u32; 2]> = vec![[0; 2]; size.nr_func_info as usize];
    let mut info = ProgramInfo {
        xlated_prog_len: size.xlated_prog_len,
        xlated_prog_insns: instructions.as_mut_ptr() as u64,
        func_info_rec_size: u32::try_from(size_of::<[u32; 2]>()).expect("small"),
        func_info: starts.as_mut_ptr() as u64,
        nr_func_info: size.nr_func_info,
        ..ProgramInfo::default()
    };
    read_info(&program, &mut info)?;
    let names = names::functions(&btf(info.btf_id)?);
    let ends = starts.iter().skip(1).map(|[start, _]| *start as usize);
    let ends = ends.chain([instructions.len()]);
    let functions = starts.iter().zip(ends).map(|([start, number], end)| Function {
        name: names[number].clone(),
        calls: calls(&instructions[*start as usize..end]),
    });
    Ok(functions.collect())
}

fn btf(id: u32) -> io::Result<Vec<u8>> {
    let btf = owned(bpf(BPF_BTF_GET_FD_BY_ID, &mut [id, 0, 0])?)?;
    let mut size = BtfInfo::default();
    read_info(&btf, &mut size)?;
    let mut bytes = vec![0_u8; size.btf_size as usize];
    let mut info = BtfInfo { btf: bytes.as_mut_ptr() as u64, ..size };
    read_info(&btf, &mut info)?;
    Ok(bytes)
}

fn read_info<T>(object: &OwnedFd, info: &mut T) -> io::Result<()> {
    let mut request = Request {
        bpf_fd: object.as_raw_fd().unsigned_abs(),
        info_len: u32::try_from(size_of::<T>()).expect("small"),
        info: std::ptr::from_mut(info) as u64,
    };
    bpf(BPF_OBJ_GET_INFO_BY_FD, &mut request).map(drop)
}

/// The functions that are named in the instructions of one. After the JIT the
/// constant of such an instruction is the function's index.
fn calls(instructions: &[Instruction]) -> Vec<usize> {
    let pairs = instructions.iter().zip(instructions.iter().skip(1));
    let named =
        pairs.filter_map(|(instruction, next)| match (instruction[0], instruction[1] >> 4) {
            // BPF_JMP | BPF_CALL with BPF_PSEUDO_CALL.
            (0x85, 1) => Some(constant(instruction)),
            // BPF_LD | BPF_IMM | BPF_DW with BPF_PSEUDO_FUNC, two instructions long.
            (0x18, 4) => Some(constant(next)),
            _ => None,
        });
    named.collect()
}

fn constant([_, _, _, _, bytes @ ..]: &Instruction) -> usize {
    u32::from_le_bytes(*bytes) as usize
}
