//! The kinds of errors, by the name under which a person finds them again.

use std::fmt;

/// Which kind of thing is wrong. Shown in brackets: `error[unknown-key]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// Several answers fit, and nothing says which one counts.
    Ambiguous,
    /// A promise of a component's contract does not hold.
    Contract,
    /// The base image cannot be found or reached.
    BaseImage,
    /// The engine lacks something that the build needs.
    Engine,
    /// `extends` or `include` leads nowhere.
    Extends,
    /// A variable is written in a form that Compose does not have.
    Interpolation,
    /// A file that the recipe needs is not in the build context.
    MissingFile,
    /// A key that must be there is not.
    MissingKey,
    /// The source folder is not in the build context.
    MissingSource,
    /// A variable that must have a value has none.
    MissingVariable,
    /// A library has no image.
    NoImage,
    /// Evidence that has to be there before a build is not.
    NotReady,
    /// A build option that cannot be honoured.
    Option,
    /// The file is no YAML.
    Syntax,
    /// A key that nothing reads.
    UnknownKey,
    /// A recipe that does not exist.
    UnknownRecipe,
    /// A lint rule of this name found something. See [`crate::lint`].
    Rule(&'static str),
    /// A stage that does not exist.
    UnknownStage,
    /// A target that the file does not have.
    UnknownTarget,
    /// A value that makes no sense where it stands.
    Value,
    /// A value of another kind than expected.
    WrongType,
}

impl Code {
    /// The name that people see and search for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::Contract => "contract",
            Self::BaseImage => "base-image",
            Self::Engine => "engine",
            Self::Extends => "extends",
            Self::Interpolation => "interpolation",
            Self::MissingFile => "missing-file",
            Self::MissingKey => "missing-key",
            Self::MissingSource => "missing-source",
            Self::MissingVariable => "missing-variable",
            Self::NoImage => "no-image",
            Self::NotReady => "not-ready",
            Self::Option => "option",
            Self::Syntax => "syntax",
            Self::UnknownKey => "unknown-key",
            Self::UnknownRecipe => "unknown-recipe",
            Self::UnknownStage => "unknown-stage",
            Self::UnknownTarget => "unknown-target",
            Self::Rule(name) => name,
            Self::Value => "value",
            Self::WrongType => "wrong-type",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
