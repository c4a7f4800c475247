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

    @Test func whatBaseDoesNotHaveIsNoContestUnlessBothSetItOrItWouldGo() {
        let here: JSONValue = ["a": 1, "inner": ["c": 4, "hidden": 5]]
        let base: JSONValue = ["a": 1, "gone": nil, "inner": ["c": 4]]
        #expect(here.stillHolds(base, for: ["a": 2, "inner": ["c": 4]]))
        #expect(here.stillHolds(base, for: ["inner": ["c": 5], "more": 1]))
        #expect(here.stillHolds(base, for: ["a": 1, "inner": ["c": 4, "hidden": 5]]))
        #expect(!here.stillHolds(base, for: ["a": 1, "inner": ["c": 4, "hidden": 6]]))
        #expect(!here.stillHolds(base, for: ["a": 2]), "what holds a hidden one would go")
        #expect(!here.stillHolds(base, for: .null))
        #expect(base.stillHolds(base, for: .null), "there is nothing else")
        for other: JSONValue in [["a": 2, "inner": ["c": 4]], ["a": 1, "inner": ["c": 3]], ["a": 1], .null, 7] {
            #expect(!other.stillHolds(base, for: ["a": 9, "inner": ["c": 4]]), "\(other)")
        }
        #expect(JSONValue.null.stillHolds(.null, for: ["a": 1]))
    }

    @Test func ofAListItIsNoContestWhereTheElementKeepsIt() {
        let here: JSONValue = [["k": 1, "n": 1, "u": "x"], ["k": 2, "n": 2], ["k": 3, "n": 3]]
        let base: JSONValue = [["k": 1, "n": 1], ["k": 2, "n": 2], ["k": 3, "n": 3]]
        func holds(_ new: JSONValue) -> Bool { here.stillHolds(base, for: new) }
        let (one, two, three): (JSONValue, JSONValue, JSONValue) = (
            ["k": 1, "n": 1], ["k": 2, "n": 2], ["k": 3, "n": 3]
        )
        for new: JSONValue in [
            [one, two, ["k": 3, "n": 9]], [two, one, three], [three, one], [one, two, three, ["k": 4]],
            [["k": 1, "n": 7], two, three],
        ] {
            #expect(holds(new), "\(new)")
            #expect(here.taking(new, over: base).text.contains("\"u\":\"x\""), "\(new)")
        }
        for new: JSONValue in [
            [], [two, three], [["k": 9], two, three], [["k": 1, "n": 7], two], [two, ["k": 1, "n": 9], three],
            [["k": 1, "n": 1, "u": "y"], two, three], [["k": 1, "n": 1, "u": "y"], two, three, ["k": 4]], .null,
        ] {
            #expect(!holds(new), "\(new)")
        }
        let twins: JSONValue = [["k": 2, "u": "b"], ["k": 2, "u": "c"]]
        #expect(!twins.stillHolds([["k": 2], ["k": 2]], for: [["k": 2]]), "one of two equals goes")
        #expect(!JSONValue.array([1, 2]).stillHolds([1, 3], for: [1, 3, 4]))
        #expect(!JSONValue.array([1]).stillHolds([1, 3], for: [1]))
    }
}
