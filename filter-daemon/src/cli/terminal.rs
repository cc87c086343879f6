//! Questions asked on a terminal, and the sign that something takes long.
//!
//! Never used without a terminal: `Invocation` decides that.

use std::fmt::Write;
use std::future::Future;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dialoguer::console::Term;
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Confirm, Input, MultiSelect, Select};
use indicatif::{BinaryBytes, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::failure::Failure;

const SHOWN_AFTER: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// Whether somebody is there to answer.
pub(super) fn is_attended() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a text that is good by the check.
pub(super) fn ask_text(
    question: &str,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<String, Failure> {
    Input::<String>::with_theme(&ColorfulTheme::default())
        .with_prompt(question)
        .validate_with(|text: &String| check(text))
        .interact_text()
        .map_err(broken_off)
}

/// Asks for one of several; answers its place.
pub(super) fn ask_one(question: &str, choices: &[String]) -> Result<usize, Failure> {
    Select::with_theme(&ColorfulTheme::default())
        .with_prompt(question)
        .items(choices)
        .default(0)
        .interact()
        .map_err(broken_off)
}

/// Asks for any of several; answers their places.
pub(super) fn ask_many(question: &str, choices: &[&str]) -> Result<Vec<usize>, Failure> {
    MultiSelect::with_theme(&ColorfulTheme::default())
        .with_prompt(format!("{question} (space to choose, enter to go on)"))
        .items(choices)
        .interact()
        .map_err(broken_off)
}

/// Asks for a yes; enter alone is a no.
pub(super) fn ask_yes(question: &str) -> Result<bool, Failure> {
    Confirm::with_theme(&ColorfulTheme::default())
        .with_prompt(question)
        .default(false)
        .interact()
        .map_err(broken_off)
}

/// Waits, with a sign of life on a terminal once it takes long.
pub(super) async fn wait<F: Future>(what: &'static str, work: F) -> F::Output {
    let template = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    wait_in_style(what, template.expect("the template is well formed"), work).await
}

/// The same for reading, with the number of bytes that are there.
pub(super) async fn wait_for_bytes<F: Future>(
    what: &'static str,
    bytes: Arc<AtomicU64>,
    work: F,
) -> F::Output {
    let template = ProgressStyle::with_template("{spinner} {msg}: {done} ({elapsed})");
    let done = move |_: &ProgressState, writer: &mut dyn Write| {
        // What cannot be shown is not missed.
        let _ = write!(writer, "{}", BinaryBytes(bytes.load(Ordering::Relaxed)));
    };
    let style = template.expect("the template is well formed").with_key("done", done);
    wait_in_style(what, style, work).await
}

async fn wait_in_style<F: Future>(what: &'static str, style: ProgressStyle, work: F) -> F::Output {
    tokio::pin!(work);
    tokio::select! {
        output = &mut work => return output,
        () = tokio::time::sleep(SHOWN_AFTER) => {}
    }
    let spinner = ProgressBar::new_spinner().with_style(style).with_message(what);
    // Hides itself where stderr is no terminal.
    spinner.set_draw_target(ProgressDrawTarget::stderr());
    spinner.enable_steady_tick(TICK);
    let output = work.await;
    spinner.finish_and_clear();
    output
}

fn broken_off(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(error) = error;
    // A question hides the cursor while it waits.
    let _ = Term::stderr().show_cursor();
    if error.kind() == io::ErrorKind::Interrupted {
        return Failure::interrupted();
    }
    Failure::new(format!("cannot ask on this terminal: {error}"))
}
