//! Calls that change something: with the caller's own session protected, and
//! with what became of the change.

use hyper::Method;
use hyper::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::client::{Answer, Call};
use super::failure::Failure;
use super::invocation::Invocation;
use super::terms::Terms;
use super::{output, terminal};

const PROTECT: &str = "filterd-protect";
const APPLIED: &str = "filterd-applied";
const CLOSED: &str = "filterd-closed";

/// A change that the daemon has saved, or would save.
#[derive(Debug)]
pub(super) struct Saved {
    answer: Answer,
}

impl Saved {
    /// What the daemon answered.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        self.answer.parse()
    }

    /// The version of the list that the change was about, as it is now; of a
    /// change of a group's apps, the revision.
    pub(super) fn version(&self) -> Option<u64> {
        self.answer.header("etag")?.trim_matches('"').parse().ok()
    }

    /// Why the change is not in force, if it is not.
    pub(super) fn held_back(&self) -> Option<String> {
        (self.answer.header(APPLIED) == Some("no")).then(|| {
            let warning = self.answer.header("warning").and_then(warning_text);
            warning.unwrap_or_else(|| "filterd gave no reason".to_owned())
        })
    }

    /// How many connections it closed.
    pub(super) fn closed(&self) -> u64 {
        self.answer.header(CLOSED).and_then(|count| count.parse().ok()).unwrap_or_default()
    }

    /// Prints how many connections it closed, if it closed any.
    pub(super) fn tell_closed(&self) -> Result<(), Failure> {
        tell_closed(self.closed())
    }

    /// Fails when the change is not in force.
    pub(super) fn in_force(&self) -> Result<(), Failure> {
        match self.held_back() {
            None => Ok(()),
            Some(reason) => Err(Failure::not_in_force(reason)),
        }
    }
}

impl Invocation {
    /// Asks for a change. Without `--yes` it must not cut the caller's own
    /// SSH session; on a terminal the caller may decide otherwise.
    pub(super) async fn change(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Saved, Failure> {
        self.change_on(&Terms::default(), method, path, body).await
    }

    /// The same, on terms.
    pub(super) async fn change_on(
        &self,
        terms: &Terms,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Saved, Failure> {
        let body = bytes(body)?;
        let call = || terms.put_on(Call::new(method.clone(), path).with_body(body.clone()));
        let Some(found) = self.session().filter(|_| !self.yes) else {
            return self.finish(call()?).await;
        };
        let header = format!("{} {}", found.session.peer, found.session.local);
        let refusal = match self.finish(call()?.with_header(PROTECT, &header)?).await {
            Err(failure) if failure.has_code("WouldCutSession") => failure,
            outcome => return outcome,
        };
        let peer = found.session.peer;
        let whose = format!("You are logged in over SSH from {peer} (by {}).", found.source);
        if !self.is_attended() {
            return Err(refusal.with_advice(format!(
                "{whose}\nList {} first, or repeat with --yes to do it all the same.",
                peer.ip(),
            )));
        }
        output::remark(&format!("{}\n{whose}", refusal.why()));
        match terminal::ask_yes("Do it all the same, and cut this session?")? {
            true => self.finish(call()?).await,
            false => Err(refusal.with_advice("Nothing was changed.")),
        }
    }

    /// Asks what a change would do; the path or the body says that it is
    /// only asked.
    pub(super) async fn rehearse(
        &self,
        terms: &Terms,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Saved, Failure> {
        let call = Call::new(method, path).with_body(bytes(body)?);
        self.finish(terms.put_on(call)?).await
    }

    async fn finish(&self, call: Call<'_>) -> Result<Saved, Failure> {
        let answer = terminal::wait("filterd is at work", self.client.call(call)).await?;
        Ok(Saved { answer })
    }
}

/// Prints how many connections were closed, if any were.
pub(super) fn tell_closed(count: u64) -> Result<(), Failure> {
    match count {
        0 => Ok(()),
        count => output::line(&format!("{count} open connection(s) were closed")),
    }
}

fn bytes(body: Option<&impl Serialize>) -> Result<Bytes, Failure> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    let bytes = serde_json::to_vec(body);
    bytes.map(Bytes::from).map_err(|error| Failure::new(format!("cannot write JSON: {error}")))
}

/// The text of `199 filterd "text"` (RFC 7234, section 5.5).
fn warning_text(header: &str) -> Option<String> {
    let (_, quoted) = header.split_once('"')?;
    let (quoted, _) = quoted.rsplit_once('"')?;
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            _ => text.push(character),
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_unquoted() {
        let text = warning_text(r#"199 filterd "map \"v4\" is full: 7 \\ 8""#);
        assert_eq!(text.as_deref(), Some(r#"map "v4" is full: 7 \ 8"#));
        assert_eq!(warning_text("199 filterd"), None);
    }
}
