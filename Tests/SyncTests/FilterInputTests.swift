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
            (.field("kind", .equal(.null)), #"{"kind":{"eq":null}}"#),
            (.field("kind", .notEqual(.null)), #"{"kind":{"ne":null}}"#),
            (.field("kinds", .exists(false)), #"{"kinds":{"eq":null}}"#),
            (.field("kinds", .equal(.text(#"["LOW"]"#))), #"{"kinds":{"eq":["LOW"]}}"#),
            (
                .field("kind", .isIn([.text("LOW"), .null])),
                #"{"or":[{"kind":{"eq":"LOW"}},{"kind":{"eq":null}}]}"#
            ),
            (
                .field("size", .notIn([.integer(1), .null])),
                #"{"and":[{"size":{"ne":1}},{"size":{"attributeExists":true}}]}"#
            ),
            (.field("ticks", .less(.integer(2_147_483_647))), #"{"ticks":{"lt":2147483647}}"#),
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
        for other: PredicateNode in [
            .field("done", .isIn([.integer(1)])), .field("size", .isIn([.integer(1), .null])),
            .field("kind", .equal(.null)), .field("ticks", .less(.integer(1 << 40))),
        ] {
            #expect(other.subscriptionFilterInput(for: Sample.note) == nil, "\(other)")
        }
    }

    @Test("name what a condition cannot be: of the key, which a filter may name")
    func keys() throws {
        let node = PredicateNode.and([.all, .not(.field("id", .equal(.text("a"))))])
        #expect(try node.filterInput(for: Sample.note).text == #"{"and":[{},{"not":{"id":{"eq":"a"}}}]}"#)
        let error = #expect(throws: AppSync.FilterError.self) { try node.conditionInput(for: Sample.note) }
        #expect(error?.description == "a change's condition cannot name Note.id, a part of the key")
        let part = PredicateNode.field("number", .less(.integer(1)))
        #expect(throws: AppSync.FilterError.self) { try part.conditionInput(for: Sample.lot) }
        #expect(try part.filterInput(for: Sample.lot).text == #"{"number":{"lt":1}}"#)
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

    @Test(
        "refuse what the API has no operator or operand for, by name",
        arguments: [
            (.field("kind", .less(.text("LOW"))), "the service has no 'lt' for Note.kind, which is Kind"),
            (
                .field("kind", .between(.text("HIGH"), .text("LOW"))),
                "the service has no 'between' for Note.kind, which is Kind"
            ),
            (.field("done", .less(.integer(1))), "the service has no 'lt' for Note.done, which is Boolean"),
            (
                .field("tags", .equal(.text(#"["a"]"#))),
                "the service has no 'eq' for Note.tags, which is a list of String"
            ),
            (.field("size", .contains(.integer(1))), "the service has no 'contains' for Note.size, which is Int"),
            (
                .field("ticks", .greater(.integer(1_795_254_060_123))),
                "Note.ticks cannot be compared with 1795254060123: the service compares 32 bits"
            ),
            (
                .field("size", .isIn([.integer(1), .integer(1 << 31)])),
                "Note.size cannot be compared with 2147483648: the service compares 32 bits"
            ),
            (.field("size", .less(.null)), "the service cannot compare Note.size with nothing"),
            (.field("weight", .less(.real(.infinity))), "the service cannot compare Note.weight with inf"),
            (.field("at", .less(.integer(.max))), "the service cannot compare Note.at with 9223372036854775807"),
            (.field("place", .exists(true)), "the service has no filter on Note.place, an embedded value"),
            (.field("size", .isIn([])), "an empty list of values matches nothing"),
        ] as [(PredicateNode, String)])
    func unaskable(_ node: PredicateNode, _ reason: String) {
        for node in [node, .or([.field("title", .equal(.text("a"))), .not(node)])] {
            let error = #expect(throws: AppSync.FilterError.self) { try node.filterInput(for: Sample.note) }
            #expect(error?.description == reason)
            #expect(throws: AppSync.FilterError.self) { try node.conditionInput(for: Sample.note) }
        }
    }
}
