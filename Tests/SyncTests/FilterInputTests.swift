import AppSync
import Basics
import Models
import Testing

@Suite("Filter inputs")
struct FilterInputTests {
    @Test(
        "say each comparison in AppSync's words",
        arguments: [
            (.field("title", .equal(.text("a"))), #"{"title":{"eq":"a"}}"#),
            (.field("title", .notEqual(.text("a"))), #"{"title":{"ne":"a"}}"#),
            (.field("title", .beginsWith("a")), #"{"title":{"beginsWith":"a"}}"#),
            (.field("tags", .contains(.text("a"))), #"{"tags":{"contains":"a"}}"#),
            (.field("tags", .notContains(.text("a"))), #"{"tags":{"notContains":"a"}}"#),
            (.field("size", .less(.integer(3))), #"{"size":{"lt":3}}"#),
            (.field("size", .lessOrEqual(.integer(3))), #"{"size":{"le":3}}"#),
            (.field("amount", .greater(.integer(1500))), #"{"amount":{"gt":1.5}}"#),
            (.field("amount", .greaterOrEqual(.integer(2000))), #"{"amount":{"ge":2}}"#),
            (.field("size", .between(.integer(1), .integer(2))), #"{"size":{"between":[1,2]}}"#),
            (.field("done", .equal(.integer(1))), #"{"done":{"eq":true}}"#),
            (.field("at", .less(.integer(0))), #"{"at":{"lt":"1970-01-01T00:00:00.000Z"}}"#),
            (.field("kind", .equal(.text("LOW"))), #"{"kind":{"eq":"LOW"}}"#),
            (.field("title", .equal(.null)), #"{"title":{"attributeExists":false}}"#),
            (.field("title", .notEqual(.null)), #"{"title":{"attributeExists":true}}"#),
            (.field("title", .exists(true)), #"{"title":{"attributeExists":true}}"#),
            (.field("size", .isIn([.integer(1), .integer(2)])), #"{"or":[{"size":{"eq":1}},{"size":{"eq":2}}]}"#),
            (.field("size", .notIn([.integer(1), .integer(2)])), #"{"and":[{"size":{"ne":1}},{"size":{"ne":2}}]}"#),
            (.not(.field("size", .equal(.integer(1)))), #"{"not":{"size":{"eq":1}}}"#),
            (
                .and([.field("size", .equal(.integer(1))), .or([.field("title", .equal(.text("b")))])]),
                #"{"and":[{"size":{"eq":1}},{"or":[{"title":{"eq":"b"}}]}]}"#
            ),
        ] as [(PredicateNode, String)])
    func comparisons(_ node: PredicateNode, _ text: String) throws {
        #expect(try node.filterInput(for: Sample.note).text == text)
    }

    @Test("of a fetch wrap a lone comparison, and are left out for everything (D59)")
    func syncFilters() throws {
        let lone = PredicateNode.field("title", .equal(.text("a")))
        #expect(try lone.syncSelection(for: Sample.note).filter?.text == #"{"and":[{"title":{"eq":"a"}}]}"#)
        #expect(try PredicateNode.all.syncSelection(for: Sample.note) == .everything)
        let list = PredicateNode.field("size", .isIn([.integer(1)]))
        #expect(try list.syncSelection(for: Sample.note).filter?.text == #"{"or":[{"size":{"eq":1}}]}"#)
    }

    @Test(
        "of a fetch decide empty lists beforehand: nothing is asked for, or everything",
        arguments: [
            (.field("size", .isIn([])), .nothing), (.not(.field("size", .isIn([]))), .everything),
            (.field("size", .notIn([])), .everything),
            (.and([.field("title", .equal(.text("a"))), .field("size", .isIn([]))]), .nothing),
            (.or([.field("size", .isIn([])), .or([])]), .nothing), (.and([.all, .not(.or([]))]), .everything),
            (
                .or([.field("title", .equal(.text("a"))), .field("size", .isIn([]))]),
                .filter(["and": [["title": ["eq": "a"]]]])
            ),
        ] as [(PredicateNode, SyncSelection)])
    func emptyLists(_ node: PredicateNode, _ selection: SyncSelection) throws {
        #expect(try node.syncSelection(for: Sample.note) == selection)
    }

    @Test("of a subscription have in and notIn, and nothing that they cannot say exactly")
    func subscriptionFilters() {
        let list = PredicateNode.field("size", .isIn([.integer(1), .integer(2)]))
        #expect(list.subscriptionFilterInput(for: Sample.note)?.text == #"{"size":{"in":[1,2]}}"#)
        #expect(PredicateNode.not(list).subscriptionFilterInput(for: Sample.note) == nil)
        #expect(PredicateNode.field("size", .exists(true)).subscriptionFilterInput(for: Sample.note) == nil)
    }

    @Test("refuse fields and comparisons that the wire does not have")
    func refusals() {
        #expect(throws: AppSync.FilterError.self) {
            try PredicateNode.field("nope", .equal(.integer(1))).filterInput(for: Sample.note)
        }
        #expect(throws: AppSync.FilterError.self) {
            try PredicateNode.field("place", .exists(true)).filterInput(for: Sample.note)
        }
        #expect(throws: AppSync.FilterError.self) {
            try PredicateNode.field("title", .containsIgnoringCase("a")).filterInput(for: Sample.note)
        }
    }
}
