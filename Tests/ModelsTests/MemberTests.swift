import Basics
import Models
import Testing

@Suite("Of a value that is sent whole only what changed is taken")
struct MemberTests {
    @Test func whatIsTheSameInBothStaysAsItIs() {
        let stored: JSONValue = ["a": 1, "b": 2, "unknown": 3, "inner": ["c": 4, "hidden": 5]]
        func taking(_ new: JSONValue, over base: JSONValue) -> JSONValue { stored.taking(new, over: base) }
        let base: JSONValue = ["a": 1, "b": 2, "inner": ["c": 4]]
        #expect(taking(base, over: base) == stored)
        #expect(
            taking(["a": 9, "b": 2, "inner": ["c": 4]], over: base)
                == ["a": 9, "b": 2, "unknown": 3, "inner": ["c": 4, "hidden": 5]])
        #expect(
            taking(["a": 1, "inner": ["c": 4]], over: base) == ["a": 1, "unknown": 3, "inner": ["c": 4, "hidden": 5]])
        #expect(taking(["a": 1, "b": nil, "inner": ["c": 6]], over: base)["inner"] == ["c": 6, "hidden": 5])
        #expect(taking(["a": 1, "b": nil, "inner": ["c": 6]], over: base)["b"] == JSONValue?.none)
        #expect(taking(["a": 1, "b": 2, "new": 7, "inner": ["c": 4]], over: base)["new"] == 7)
        #expect(taking(["a": 1, "b": 2], over: base)["inner"] == JSONValue?.none)
        #expect(taking(.null, over: base) == .null)
        #expect(taking(["a": 5], over: "no object") == ["a": 5])
    }

    @Test func elementsKeepTheirsWhereverTheyStand() {
        let stored: JSONValue = [["k": 1, "u": "a"], ["k": 2, "u": "b"], ["k": 2, "u": "c"], ["k": 3]]
        let base: JSONValue = [["k": 1], ["k": 2], ["k": 2], ["k": 3]]
        func taking(_ new: JSONValue) -> JSONValue { stored.taking(new, over: base) }
        #expect(taking(base) == stored)
        #expect(taking([["k": 3], ["k": 2], ["k": 1]]) == [["k": 3], ["k": 2, "u": "b"], ["k": 1, "u": "a"]])
        #expect(taking([["k": 2], ["k": 2], ["k": 2]]) == [["k": 2], ["k": 2, "u": "b"], ["k": 2, "u": "c"]])
        #expect(taking([]) == [])
        // A list of another length is not the one that was changed.
        #expect(JSONValue.array([["k": 1, "u": "a"]]).taking([["k": 1]], over: base) == [["k": 1]])
    }

    @Test func anElementThatChangedInItsPlaceKeepsTheRest() {
        let stored: JSONValue = [["k": 1, "n": 1, "u": "a"], ["k": 2, "n": 1, "u": "b"]]
        let base: JSONValue = [["k": 1, "n": 1], ["k": 2, "n": 1]]
        func taking(_ new: JSONValue) -> JSONValue { stored.taking(new, over: base) }
        #expect(
            taking([["k": 1, "n": 5], ["k": 2, "n": 1]]) == [["k": 1, "n": 5, "u": "a"], ["k": 2, "n": 1, "u": "b"]])
        // Nothing of it is left: it is another one.
        #expect(taking([["k": 7, "n": 5], ["k": 2, "n": 1]]) == [["k": 7, "n": 5], ["k": 2, "n": 1, "u": "b"]])
        // Which one changed is not known in a list of another length.
        #expect(taking([["k": 1, "n": 5]]) == [["k": 1, "n": 5]])
    }

    @Test func whatBaseDoesNotHaveIsNoContestUnlessBothSetIt() {
        let here: JSONValue = ["a": 1, "inner": ["c": 4, "hidden": 5], "list": [["k": 1, "u": "x"], ["k": 2]]]
        let base: JSONValue = ["a": 1, "gone": nil, "inner": ["c": 4], "list": [["k": 1], ["k": 2]]]
        #expect(here.stillHolds(base, for: ["a": 2]))
        #expect(here.stillHolds(base, for: .null))
        #expect(here.stillHolds(base, for: ["list": [["k": 2], ["k": 3], ["k": 1]]]))
        #expect(here.stillHolds(base, for: ["inner": ["c": 4, "hidden": 5]]))
        #expect(!here.stillHolds(base, for: ["inner": ["c": 4, "hidden": 6]]))
        #expect(!here.stillHolds(base, for: ["list": [["k": 1, "u": "y"], ["k": 2]]]))
        for other: JSONValue in [
            ["a": 2, "inner": ["c": 4], "list": [["k": 1], ["k": 2]]], ["a": 1, "inner": ["c": 4], "list": [["k": 1]]],
            ["a": 1, "inner": ["c": 4], "list": [["k": 2], ["k": 1]]], ["inner": ["c": 4]], ["a": 1], .null, 7,
        ] {
            #expect(!other.stillHolds(base, for: ["a": 9]), "\(other)")
        }
        #expect(JSONValue.null.stillHolds(.null, for: ["a": 1]))
        #expect(!JSONValue.array([1, 2]).stillHolds([1, 3], for: [1, 3, 4]))
    }
}
