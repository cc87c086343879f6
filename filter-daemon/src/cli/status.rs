//! `filterctl status`: what is in force, and what is not.

mod listeners;

use super::answers::{Settings, Status};
use super::app;
use super::failure::Failure;
use super::interface;
use super::invocation::Invocation;
use super::output::{self, Columns};

const PATH: &str = "/api/filter/v1/status";

/// Shows it.
pub(super) async fn run(invocation: &Invocation) -> Result<(), Failure> {
    let mut status: Status = invocation.client.read(PATH).await?;
    interface::name_holders(&mut status.interfaces);
    if invocation.json {
        return output::json(&status);
    }
    print(&status)
}

/// Prints it for people.
fn print(status: &Status) -> Result<(), Failure> {
    let program = match &status.program {
        None => "none is loaded".to_owned(),
        Some(program) => format!(
            "{} by {}, {} instructions verified",
            program.object_digest.get(..16).unwrap_or(&program.object_digest),
            program.toolchain,
            program.instructions_verified,
        ),
    };
    for (name, value) in [
        ("Filter", describe_filter(&status.filter)),
        ("In force", &in_force(status)),
        ("Program", &program),
        ("Settings", &describe_settings(&status.settings)),
        ("filterd", &format!("{} on Linux {}", status.version, status.kernel)),
    ] {
        output::line(&format!("{name:<10}{}", output::harmless(value)))?;
    }
    let unseen = &status.unseen_drops;
    if unseen.unsampled + unseen.lost > 0 {
        let (unsampled, lost) = (unseen.unsampled, unseen.lost);
        output::line(&format!(
            "Drops     {unsampled} left out of `filterctl drops` by sampling, {lost} lost; `filterctl counters` has all"
        ))?;
    }
    if status.table_bytes > 0 {
        let memory = describe_bytes(status.table_bytes);
        output::line(&format!("Tables    {memory} of kernel memory, for long lists"))?;
    }
    let admin = status.admin.iter().flat_map(listeners::admin).collect();
    let proxy = status.proxy.iter().flat_map(listeners::proxy).collect();
    for (label, lines) in [("Admin API", admin), ("Proxy", proxy)] {
        print_labelled(label, lines)?;
    }
    output::line("\nInterfaces")?;
    interface::print(&status.interfaces)?;
    print_apps(status)
}

/// Lines of which the first has a label.
fn print_labelled(label: &str, lines: Vec<String>) -> Result<(), Failure> {
    let labels = [label].into_iter().chain(std::iter::repeat(""));
    labels.zip(lines).try_for_each(|(label, text)| {
        output::line(&format!("{label:<10}{}", output::harmless(&text)))
    })
}

/// How much of the host the filter covers.
pub(super) fn describe_filter(word: &str) -> &str {
    match word {
        "on" => "on",
        "partly" => "PARTLY on: some interfaces are not filtered",
        "off" => "OFF: no interface is filtered",
        "detached" => "DETACHED by an operator: traffic is open; `filterctl attach` puts it back",
        other => other,
    }
}

fn in_force(status: &Status) -> String {
    let desired = status.desired_revision;
    let held = match status.applied_revision {
        Some(applied) if applied == desired => format!("revision {applied}, all that is saved"),
        Some(applied) => format!("revision {applied}; revision {desired} is saved, NOT in force"),
        None => format!("nothing; revision {desired} is saved, NOT in force"),
    };
    match (&status.error, status.phase.as_str()) {
        (Some(error), _) => format!("{held}: {error}"),
        (None, "applying") => format!("{held}: on its way"),
        (None, _) => held,
    }
}

fn describe_bytes(bytes: u64) -> String {
    let tenths = (u128::from(bytes) * 10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

fn print_apps(status: &Status) -> Result<(), Failure> {
    if status.apps.is_empty() {
        return output::line("\nNo app yet, so no packet is refused: `filterctl app create`");
    }
    output::line("\nApps")?;
    let mut table = Columns::new(["App", "Mode", "Scopes", "Entries"]);
    for app in &status.apps {
        let scopes = app::scopes(&app.scopes);
        table.row([&app.client_app_id, &app.mode, &scopes, &app.entries.to_string()]);
    }
    table.print()
}

/// The settings in one line.
pub(super) fn describe_settings(settings: &Settings) -> String {
    let dhcp = if settings.dhcp { "pass" } else { "are filtered like any" };
    let non_ip = if settings.non_ip == "pass" { "pass" } else { "are dropped" };
    format!("DHCP answers {dhcp}; frames that are not IP {non_ip}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_the_daemon_is_read() {
        let text = r#"{"version":"0.1.0","kernel":"6.18.5","phase":"degraded","error":"map full",
            "desired_revision":7,"applied_revision":6,"filter":"partly","program":null,
            "interfaces":[{"name":"eth0","index":2,"mode_asked":"auto","mode_got":null,
                "state":"refused","detail":"busy"}],
            "apps":[],"settings":{"dhcp":true,"non_ip":"drop"},
            "unseen_drops":{"unsampled":2,"lost":1}}"#;
        let status: Status = serde_json::from_str(text).expect("valid");
        assert_eq!(in_force(&status), "revision 6; revision 7 is saved, NOT in force: map full");
        assert_eq!(describe_bytes((1 << 20) + 1), "1.1 MiB");
        assert_eq!(
            describe_settings(&status.settings),
            "DHCP answers pass; frames that are not IP are dropped",
        );
    }
}
