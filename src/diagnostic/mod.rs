//! What goes wrong, said once for all places that show it: the terminal, BuildKit's errors
//! with their source snippets, and (as JSON) other programs.
//!
//! A [`Diagnostic`] says what is wrong, where ([`Span`], which carries its file), and what to
//! do. Rooms collect them in [`Diagnostics`] and go on, so that a person sees all of them at
//! once.

mod code;
mod fix;
mod level;
mod render;
mod source;
mod suggest;

pub use code::Code;
pub use fix::{Fix, apply};
pub use level::Level;
pub use render::{Style, render, render_all, summary};
pub use source::{SourceText, Span};
pub use suggest::did_you_mean;

/// One thing that is wrong, or should be looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Which kind of thing.
    pub code: Code,
    /// How serious it is.
    pub level: Level,
    /// What is wrong, in one line that makes sense without the snippet.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
    /// What stands at that place, for the snippet.
    pub label: Option<String>,
    /// What to do, or what else there is to know.
    pub help: Vec<String>,
    /// The service that it is about; none for the whole file.
    pub service: Option<String>,
    /// An edit that mends it, where one is certain.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A diagnostic without a place: an error, or what its lint rule says.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let level = match code {
            Code::Rule(_) => Level::Warn,
            _ => Level::Error,
        };
        Self {
            code,
            level,
            message: message.into(),
            span: None,
            label: None,
            help: Vec::new(),
            service: None,
            fix: None,
        }
    }

    /// Whether it ends a build.
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }

    /// At this place.
    #[must_use]
    pub fn at(mut self, span: &Span) -> Self {
        self.span = Some(span.clone());
        self
    }

    /// At this place, if there is one.
    #[must_use]
    pub fn at_if(self, span: Option<&Span>) -> Self {
        match span {
            Some(span) => self.at(span),
            None => self,
        }
    }

    /// With words under the snippet's mark.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// With advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// With an edit that mends it.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Self {
        self.fix = Some(fix);
        self
    }

    /// With advice, if there is any.
    #[must_use]
    pub fn help_if(self, help: Option<impl Into<String>>) -> Self {
        match help {
            Some(help) => self.help(help),
            None => self,
        }
    }
}

/// Diagnostics as they are found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    /// The service that is being read.
    service: Option<String>,
}

impl Diagnostics {
    /// Adds one, about the service that is being read.
    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        if diagnostic.service.is_none() {
            diagnostic.service.clone_from(&self.service);
        }
        if !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }

    /// What follows is about this service.
    pub fn about(&mut self, service: Option<&str>) {
        self.service = service.map(str::to_owned);
    }

    /// The service that is being read.
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// How many were found.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All, by file and place; those without a place first.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(Span::order));
        self.found
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }
}
