import Testing

@testable import System

/// Regular expressions of the system's.
@Suite struct TextPatternTests {
    @Test(arguments: [
        ("custom-.+", "custom-x", true), ("custom-.+", "custom-", false), ("custom-.+", "a custom-x", false),
        ("a|b", "a", true), ("a|b", "ab", false), ("a|b", "b", true), ("^a$", "a", true), ("[0-9]{3}", "123", true),
        ("[0-9]{3}", "1234", false), ("a", "a\n", false), ("a", "a\0b", false), (".*", "", true),
    ])
    func `a whole text matches or does not`(pattern: String, text: String, matches: Bool) throws {
        #expect(try TextPattern(pattern).matches(text) == matches)
    }

    @Test(arguments: ["[a", "a)|(b", "(", "a{2", "a\0"])
    func `what is no pattern is refused with the reason`(pattern: String) {
        let problem = #expect(throws: TextPattern.Malformed.self) { try TextPattern(pattern) }
        #expect(problem?.description.isEmpty == false)
    }
}
