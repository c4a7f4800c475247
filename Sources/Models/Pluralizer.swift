/// English plurals by the rules of npm's `pluralize` 8, which AppSync's operation names use.
public enum Pluralizer {
    /// The plural of a type's name: `Box` → `Boxes`, `CodeMatch` → `CodeMatches`, `Person` → `People`.
    public static func plural(_ word: String) -> String {
        let lower = word.lowercased()
        guard !word.isEmpty, !uncountableWords.contains(lower) else { return word }
        if irregular.values.contains(lower) { return restoringCase(of: word, in: lower) }
        if let plural = irregular[lower] { return restoringCase(of: word, in: plural) }
        let letters = Array(word.unicodeScalars)
        let lowered = Array(lower.unicodeScalars)
        guard letters.count == lowered.count else { return word + "s" }
        for rule in rules {
            for pattern in rule.patterns {
                guard let length = pattern.length(ofMatchIn: lowered) else { continue }
                let head = string(letters.dropLast(length))
                let match = string(letters.suffix(length))
                let replaced = string(letters.suffix(length).dropLast(rule.dropping)) + rule.adding
                let model = match.isEmpty ? string(letters.suffix(1)) : match
                return head + restoringCase(of: model, in: replaced)
            }
        }
        return word + restoringCase(of: string(letters.suffix(1)), in: "s")
    }

    private static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// `pluralize`'s `restoreCase`.
    private static func restoringCase(of word: String, in result: String) -> String {
        if word == result { return result }
        if word == word.lowercased() { return result.lowercased() }
        if word == word.uppercased() { return result.uppercased() }
        if let first = word.first, String(first) == first.uppercased() {
            return result.prefix(1).uppercased() + result.dropFirst().lowercased()
        }
        return result.lowercased()
    }

    /// The end of a word: letters, `[abc]` classes and `[^abc]` classes; a leading `^` means the whole word.
    private struct Ending: Sendable {
        private var elements: [(letters: Set<Unicode.Scalar>, isNegated: Bool)] = []
        private var isWholeWord = false

        init(_ pattern: String) {
            var rest = Array(pattern.unicodeScalars)[...]
            if rest.first == "^" {
                isWholeWord = true
                rest.removeFirst()
            }
            while let scalar = rest.popFirst() {
                guard scalar == "[" else {
                    elements.append(([scalar], false))
                    continue
                }
                let isNegated = rest.first == "^"
                if isNegated { rest.removeFirst() }
                elements.append((Set(rest.prefix { $0 != "]" }), isNegated))
                rest = rest.drop { $0 != "]" }.dropFirst()
            }
        }

        func length(ofMatchIn word: [Unicode.Scalar]) -> Int? {
            let start = word.count - elements.count
            guard start >= 0, !isWholeWord || start == 0 else { return nil }
            for (scalar, element) in zip(word[start...], elements)
            where element.letters.contains(scalar) == element.isNegated { return nil }
            return elements.count
        }
    }

    private struct Rule: Sendable {
        let patterns: [Ending]
        /// How many letters of the match go.
        let dropping: Int
        let adding: String

        init(_ patterns: String, dropping: Int = 0, adding: String = "") {
            self.patterns = patterns.split(separator: " ").map { Ending(String($0)) }
            self.dropping = dropping
            self.adding = adding
        }
    }

    /// The first rule that matches wins. `pluralize` lists them the other way round.
    private static let rules: [Rule] = [
        Rule("pokemon pokémon [^aeiou]ese deer fish measles o[iu]s pox sheep"),
        Rule("^thou", dropping: 4, adding: "you"),
        Rule("m[ae]n", dropping: 2, adding: "en"),
        Rule("eaux"),
        Rule("child", adding: "ren"), Rule("children"),
        Rule("person", dropping: 4, adding: "ople"), Rule("people"),
        Rule("^mouse ^titmouse ^louse", dropping: 4, adding: "ice"), Rule("^mice ^titmice ^lice"),
        Rule(
            "matrix matrex codix codex murix murex silix silex vertix vertex indix index appendix appendex",
            dropping: 2,
            adding: "ices"),
        Rule("x ch ss sh zz", adding: "es"),
        Rule("[^ch][ieo][ln]ey", dropping: 2, adding: "ies"),
        Rule("[^aeiouy]y quy", dropping: 1, adding: "ies"),
        Rule("knife wife life", dropping: 2, adding: "ves"),
        Rule("arf lf eaf eof oaf hoof", dropping: 1, adding: "ves"),
        Rule("sis", dropping: 2, adding: "es"),
        Rule(
            "aphelion hyperbaton perihelion asyndeton noumenon phenomenon criterion organon prolegomenon hedron automaton",
            dropping: 2, adding: "a"),
        Rule(
            "aphelia hyperbata perihelia asyndeta noumena phenomena criteria organa prolegomena hedra automata"),
        Rule(
            "agendum addendum millennium datum extremum bacterium desideratum stratum candelabrum erratum ovum symposium"
                + " curriculum automatum quorum", dropping: 2, adding: "a"),
        Rule(
            "agenda addenda millennia data extrema bacteria desiderata strata candelabra errata ova symposia curricula"
                + " automata quora"),
        Rule("hero ato gro", adding: "es"),
        Rule("seraph cherub", adding: "im"), Rule("seraphim cherubim"),
        Rule("alumna alga vertebra", adding: "e"), Rule("alumnae algae vertebrae"),
        Rule(
            "alumnus syllabus virus radius nucleus fungus cactus stimulus terminus bacillus focus uterus locus stratus",
            dropping: 2, adding: "i"),
        Rule("alumni syllabi viri radii nuclei fungi cacti stimuli termini bacilli foci uteri loci strati"),
        Rule("[^l]ias [aeiou]las [ejzr]as [iu]am"),
        Rule("emus enus"), Rule("emu enu", adding: "s"),
        Rule("alias [^aou]us tlas tmas gas ris", adding: "es"),
        Rule("axis testis", dropping: 2, adding: "es"),
        Rule("s"),
    ]

    private static let irregular: [String: String] = [
        "i": "we", "me": "us", "he": "they", "she": "they", "them": "them", "myself": "ourselves",
        "yourself": "yourselves", "itself": "themselves", "herself": "themselves", "himself": "themselves",
        "themself": "themselves", "is": "are", "was": "were", "has": "have", "this": "these", "that": "those",
        "echo": "echoes", "dingo": "dingoes", "volcano": "volcanoes", "tornado": "tornadoes", "torpedo": "torpedoes",
        "genus": "genera", "viscus": "viscera", "stigma": "stigmata", "stoma": "stomata", "dogma": "dogmata",
        "lemma": "lemmata", "schema": "schemata", "anathema": "anathemata", "ox": "oxen", "axe": "axes", "die": "dice",
        "yes": "yeses", "foot": "feet", "eave": "eaves", "goose": "geese", "tooth": "teeth", "quiz": "quizzes",
        "human": "humans", "proof": "proofs", "carve": "carves", "valve": "valves", "looey": "looies",
        "thief": "thieves", "groove": "grooves", "pickaxe": "pickaxes", "passerby": "passersby", "canvas": "canvases",
    ]

    private static let uncountableWords: Set<String> = [
        "adulthood", "advice", "agenda", "aid", "aircraft", "alcohol", "ammo", "analytics", "anime", "athletics",
        "audio", "bison", "blood", "bream", "buffalo", "butter", "carp", "cash", "chassis", "chess", "clothing", "cod",
        "commerce", "cooperation", "corps", "debris", "diabetes", "digestion", "elk", "energy", "equipment",
        "excretion", "expertise", "firmware", "flounder", "fun", "gallows", "garbage", "graffiti", "hardware",
        "headquarters", "health", "herpes", "highjinks", "homework", "housework", "information", "jeans", "justice",
        "kudos", "labour", "literature", "machinery", "mackerel", "mail", "manga", "media", "mews", "moose", "mud",
        "music", "news", "only", "personnel", "pike", "plankton", "pliers", "police", "pollution", "premises", "rain",
        "research", "rice", "salmon", "scissors", "series", "sewage", "shambles", "shrimp", "software", "species",
        "staff", "swine", "tennis", "traffic", "transportation", "trout", "tuna", "wealth", "welfare", "whiting",
        "wildebeest", "wildlife", "you",
    ]
}
