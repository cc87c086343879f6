//! The BPF programs of the benchmark, and the sources that they give to frames.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use aya::maps::{Array, MapData, ProgramArray};
use aya::programs::{ProgramInfo, TestRun as _, TestRunAttrs, TestRunOptions, Xdp, XdpMode};
use aya::{Ebpf, programs::ProgramFd};
use filter_tests::frame::Packet;
use filter_tests::frame::segment::Segment;
use filter_tests::scenario::{EPHEMERAL, PORT};
use filter_tests::test_run::Action;
use filter_tests::world::{Family, HOST, UNLISTED};

/// How many sources of a family the programs hold; as in
/// `filter-ebpf/src/bin/bench.rs`.
pub(crate) const fn draws(family: Family) -> usize {
    match family {
        Family::V4 => 1 << 18,
        Family::V6 => 1 << 16,
    }
}

/// A frame as it is counted on the wire of a test: without its checksum.
const FRAME_BYTES: usize = 64;

/// How many frames are sent at a time; less than the queue of the wire holds.
const BATCH: u32 = 64;

/// The loaded programs.
pub(crate) struct BenchObject {
    ebpf: Ebpf,
    draws4: Array<MapData, [u8; 4]>,
    draws6: Array<MapData, [u8; 16]>,
    wire: Array<MapData, u32>,
    under_test: ProgramArray<MapData>,
}

impl BenchObject {
    /// Loads the object that `cargo xtask bench` has built.
    pub(crate) fn load(path: &Path) -> Result<Self> {
        let mut ebpf = Ebpf::load_file(path).context("the benchmark's programs do not load")?;
        for name in ["floor", "feeder", "generator"] {
            program(&mut ebpf, name)?.load().with_context(|| format!("{name} is refused"))?;
        }
        let draws4 = Array::try_from(ebpf.take_map("DRAWS4").context("there is a map DRAWS4")?)?;
        let draws6 = Array::try_from(ebpf.take_map("DRAWS6").context("there is a map DRAWS6")?)?;
        let wire = Array::try_from(ebpf.take_map("WIRE").context("there is a map WIRE")?)?;
        let under_test = ebpf.take_map("UNDER_TEST").context("there is a map UNDER_TEST")?;
        Ok(Self { ebpf, draws4, draws6, wire, under_test: ProgramArray::try_from(under_test)? })
    }

    /// Frames will come from these sources, one after the other.
    pub(crate) fn fill(&mut self, sources: &[IpAddr]) -> Result<()> {
        for (place, source) in (0..).zip(sources) {
            match source {
                IpAddr::V4(v4) => self.draws4.set(place, v4.octets(), 0)?,
                IpAddr::V6(v6) => self.draws6.set(place, v6.octets(), 0)?,
            }
        }
        Ok(())
    }

    /// Attaches the floor to an interface of the calling thread's namespace.
    pub(crate) fn attach_floor(&mut self, ifindex: u32) -> Result<()> {
        program(&mut self.ebpf, "floor")?.attach_to_if_index(ifindex, XdpMode::Driver)?;
        Ok(())
    }

    /// The floor is what is run alone from now on.
    pub(crate) fn test_floor(&mut self) -> Result<()> {
        let floor = program(&mut self.ebpf, "floor")?.fd()?.try_clone()?;
        self.test(&floor)
    }

    /// A pinned program is what is run alone from now on.
    pub(crate) fn test_pinned(&mut self, pin: &Path) -> Result<()> {
        let pinned = ProgramInfo::from_pin(pin)?.fd()?;
        self.test(&pinned)
    }

    fn test(&mut self, program: &ProgramFd) -> Result<()> {
        self.under_test.set(0, program, 0).context("the program cannot be called by the feeder")
    }

    /// Runs what is under test so often; answers how long a run takes by the kernel's
    /// clock, which stops while others have the CPU, and what the last one answered.
    pub(crate) fn run_alone(&mut self, family: Family, runs: u32) -> Result<(Duration, Action)> {
        let frame = frame(template(family));
        let mut out = [0; 2 * FRAME_BYTES];
        let options = TestRunOptions {
            data_in: Some(&frame),
            data_out: Some(&mut out),
            repeat: runs,
            ..TestRunOptions::default()
        };
        let result = program(&mut self.ebpf, "feeder")?.test_run(options)?;
        let action = match result.return_value {
            1 => Action::Drop,
            2 => Action::Pass,
            other => Action::Other(other),
        };
        Ok((result.duration, action))
    }

    /// Sends so many frames out by an interface of the calling thread's
    /// namespace; answers how long each took. What a frame costs where it
    /// arrives is in it, as far as the kernel sees to it in the same breath.
    pub(crate) fn send(&mut self, family: Family, ifindex: u32, frames: u32) -> Result<Duration> {
        self.wire.set(0, ifindex, 0)?;
        let frame = frame(template(family));
        let options = TestRunOptions {
            data_in: Some(&frame),
            repeat: frames,
            attrs: TestRunAttrs::new().xdp_live_frames(BATCH),
            ..TestRunOptions::default()
        };
        Ok(program(&mut self.ebpf, "generator")?.test_run(options)?.duration)
    }
}

fn program<'e>(ebpf: &'e mut Ebpf, name: &str) -> Result<&'e mut Xdp> {
    let program = ebpf.program_mut(name).with_context(|| format!("there is no program {name}"))?;
    Ok(program.try_into()?)
}

fn template(family: Family) -> IpAddr {
    UNLISTED.address(family)
}

/// A datagram to the protected port.
pub(crate) fn frame(source: IpAddr) -> Vec<u8> {
    let family = if source.is_ipv4() { Family::V4 } else { Family::V6 };
    let headers = if family.is_v6() { 62 } else { 42 };
    let segment = Segment::udp(EPHEMERAL, PORT, &vec![0; FRAME_BYTES - headers]);
    Packet::new(source, HOST.address(family), segment).frame()
}
