//! "Did you mean": the nearest of the words that would have been right.

/// The candidate that was probably meant, if one is near: at most two edits away (as in
/// BuildKit's own suggestions), or three for long words, and less than half of the word.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = if word.chars().count() > 8 { 3 } else { 2 };
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            *distance <= allowed && distance * 2 < candidate.chars().count().max(3)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn near_words_only() {
        let words = ["recipe", "source", "version", "env"];
        assert_eq!(did_you_mean("recpie", words), Some("recipe"));
        assert_eq!(did_you_mean("Source", words), Some("source"));
        assert_eq!(did_you_mean("environment", words), None);
        assert_eq!(did_you_mean("x", words), None);
        assert_eq!(did_you_mean("enc", words), Some("env"));
    }
}
