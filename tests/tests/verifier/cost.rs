//! What a program costs the verifier, in instructions and in stack.

use std::fmt;

use filter_tests::loaded::Function;

/// How the kernel counts a frame, up to 6.7 and wherever there is no JIT.
/// Later kernels are milder: they round up to 16.
const FRAME_BYTES: u32 = 32;

/// The price of one load.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Instructions that the verifier processed.
    pub(crate) instructions: u32,
    functions: Vec<Function>,
    stack_bytes: Vec<u32>,
}

/// Functions that call one another.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// The stack that all of them take together.
    pub(crate) stack_bytes: u32,
    functions: Vec<usize>,
}

impl Cost {
    /// Reads it from the verifier's statistics.
    pub(crate) fn new(statistics: &str, functions: Vec<Function>) -> Self {
        let after = |start: &str| {
            let line = statistics.lines().find_map(|line| line.strip_prefix(start));
            line.unwrap_or_else(|| panic!("the verifier says no {start:?}:\n{statistics}"))
        };
        let number = |text: &str| text.parse().expect("the verifier counts in numbers");
        let instructions = after("processed ").split(' ').next().map_or(0, number);
        let stack_bytes: Vec<u32> = after("stack depth ").split('+').map(number).collect();
        assert_eq!(stack_bytes.len(), functions.len(), "one stack depth a function");
        Self { instructions, functions, stack_bytes }
    }

    /// The chain of calls that takes most stack.
    pub(crate) fn deepest(&self) -> Chain {
        self.deepest_from(0)
    }

    fn deepest_from(&self, function: usize) -> Chain {
        let below = self.functions[function].calls.iter().map(|callee| self.deepest_from(*callee));
        let mut chain = below.max_by_key(|chain| chain.stack_bytes).unwrap_or_default();
        chain.stack_bytes += self.stack_bytes[function].max(1).next_multiple_of(FRAME_BYTES);
        chain.functions.insert(0, function);
        chain
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |function: usize| self.functions[function].name.as_str();
        let stacks = self.stack_bytes.iter().enumerate();
        let stacks = stacks.map(|(function, bytes)| format!("{} {bytes}", name(function)));
        let chain = self.deepest();
        let callers: Vec<&str> = chain.functions.iter().copied().map(name).collect();
        writeln!(f, "  instructions verified: {}", self.instructions)?;
        writeln!(f, "  bytes of stack: {}", stacks.collect::<Vec<_>>().join(", "))?;
        writeln!(f, "  deepest chain of calls: {}, {}", callers.join(" > "), chain.stack_bytes)
    }
}
