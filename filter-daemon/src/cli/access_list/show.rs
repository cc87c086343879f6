//! `filterctl accesslist show`: one entry, or what the whole list comes to.

mod effective;

use clap::Args;

use crate::cli::answers::Entry;
use crate::cli::failure::Failure;
use crate::cli::invocation::Invocation;
use crate::cli::output;

/// What to show.
#[derive(Args, Debug)]
pub(in crate::cli) struct Options {
    /// The app: its id, its name, or the beginning of its client app id
    #[arg(short, long)]
    app: Option<String>,

    /// The entry of this address, with all that is known of it
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present = "effective",
        conflicts_with = "effective"
    )]
    ip: Option<String>,

    /// The smallest set of prefixes that lets in whom the list lets in, which
    /// entries made each of them, and which entries could go
    #[arg(long)]
    effective: bool,
}

/// Shows it.
pub(super) async fn run(invocation: &Invocation, options: &Options) -> Result<(), Failure> {
    let app = invocation.app(options.app.as_deref(), "--app").await?;
    let Some(wanted) = &options.ip else { return effective::show(invocation, &app).await };
    let entry = invocation.entry(&app, wanted).await?;
    let entry =
        entry.ok_or_else(|| Failure::new(format!("unable to find allowed IP: {wanted}")))?;
    match invocation.json {
        true => output::json(&entry),
        false => print(&entry),
    }
}

fn print(entry: &Entry) -> Result<(), Failure> {
    let hits = entry.hits.map_or_else(|| "unknown".to_owned(), |hits| hits.to_string());
    for (name, value) in [
        ("IP Address", &*entry.address),
        ("ID", &entry.id),
        ("Comment", &entry.comment),
        ("Status", &entry.status),
        ("Expires", entry.expires.as_deref().unwrap_or("never")),
        ("Author", &entry.author),
        ("Created", &entry.created),
        ("Changed", &entry.changed),
        ("Hits", &hits),
        ("Last hit", entry.last_hit.as_deref().unwrap_or("never")),
    ] {
        output::line(format!("{name:<12}{}", output::harmless(value)).trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn either_an_entry_or_the_list_is_shown() {
        for (words, valid) in [
            (&["--effective"][..], true),
            (&["--ip", "::1"], true),
            (&["--app", "web"], false),
            (&["--ip", "::1", "--effective"], false),
        ] {
            let words = std::iter::once(&"show").chain(words);
            assert_eq!(Line::try_parse_from(words.clone()).is_ok(), valid, "{words:?}");
        }
    }
}
