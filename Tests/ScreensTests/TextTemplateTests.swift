import Testing

@testable import Screens

struct TextTemplateTests {
    @Test(
        "A text that is a template filled in gives back what was filled in",
        arguments: [
            ("the count is {state}", "the count is stopped", ["state": "stopped"]),
            ("{who} counted in {bin}", "Ann Lee counted in B-01", ["who": "Ann Lee", "bin": "B-01"]),
            ("{a}: {b}", "x: y: z", ["a": "x", "b": "y: z"]),
            ("({n})", "((1))", ["n": "(1)"]),
            ("plain", "plain", [:]),
            ("Größe {x}, Zoë", "Größe ü, Zoë", ["x": "ü"]),
        ])
    func match(_ template: String, _ text: String, _ values: [String: String]) {
        #expect(TextTemplate(key: "k", template: template).match(text) == values)
        #expect(Template.fill(template) { values[$0] } == text)
    }

    @Test(
        "A text that is none gives nothing",
        arguments: [
            ("the count is {state}", "the count was stopped"), ("the count is {state}", "the count is "),
            ("{a} and {b}", "x and "), ("plain", "plain text"), ("plain", "a plain"), ("{a}{b}", "xy"),
            ("{a} x", "x"), ("", "x"),
        ])
    func mismatch(_ template: String, _ text: String) {
        #expect(TextTemplate(key: "k", template: template).match(text) == nil)
    }
}
