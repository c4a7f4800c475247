import AppSync
import Basics
import Models
import Testing

@Suite("Documents")
struct DocumentsTests {
    @Test("select every field, embedded ones with theirs (D59)")
    func selection() {
        var documents = Documents(schema: Sample.schema)
        #expect(
            documents.selection(of: Sample.note)
                == "id title size weight amount done dueOn at ticks kind extra tags kinds place { row name } createdAt "
                + "_version _deleted _lastChangedAt")
    }

    @Test("for a fetch, a look-up and a subscription have one text each (D59)")
    func queries() {
        var documents = Documents(schema: Sample.schema)
        #expect(
            documents.sync(Sample.lot)
                == "query Sync($filter: ModelLotFilterInput, $limit: Int, $nextToken: String, $lastSync: AWSTimestamp) "
                + "{ syncLots(filter: $filter, limit: $limit, nextToken: $nextToken, lastSync: $lastSync) { items "
                + "{ site number text _version _deleted _lastChangedAt } nextToken startedAt } }")
        #expect(
            documents.get(Sample.lot)
                == "query Get($site: ID!, $number: Int!) { getLot(site: $site, number: $number) "
                + "{ site number text _version _deleted _lastChangedAt } }")
        #expect(
            documents.subscription(.onUpdate, Sample.lot, filtered: false)
                == "subscription On { onUpdateLot { site number text _version _deleted _lastChangedAt } }")
        #expect(
            documents.subscription(.onDelete, Sample.lot, filtered: true)
                == "subscription On($filter: ModelSubscriptionLotFilterInput) { onDeleteLot(filter: $filter) "
                + "{ site number text _version _deleted _lastChangedAt } }")
    }

    @Test("for a batch alias the root fields and share one fragment per model")
    func batch() {
        var documents = Documents(schema: Sample.schema)
        let text = documents.mutation([
            MutationStep(Sample.lot, .create), MutationStep(Sample.lot, .create),
            MutationStep(Sample.lot, .delete, hasCondition: true),
        ])
        #expect(
            text
                == "mutation Push($i0: CreateLotInput!, $i1: CreateLotInput!, $i2: DeleteLotInput!, "
                + "$c2: ModelLotConditionInput) { m0: createLot(input: $i0) { ...LotFields } "
                + "m1: createLot(input: $i1) { ...LotFields } "
                + "m2: deleteLot(input: $i2, condition: $c2) { ...LotFields } } "
                + "fragment LotFields on Lot { __typename site number text _version _deleted _lastChangedAt }")
    }

    @Test("are the same for the same shape and differ for another")
    func shapes() {
        var documents = Documents(schema: Sample.schema)
        let one = documents.mutation([MutationStep(Sample.note, .create), MutationStep(Sample.note, .update)])
        let same = documents.mutation([MutationStep(Sample.note, .create), MutationStep(Sample.note, .update)])
        let turned = documents.mutation([MutationStep(Sample.note, .update), MutationStep(Sample.note, .create)])
        #expect(one == same)
        #expect(one != turned)
    }

    @Test("carry inputs with key and version, and mutation ids by alias (D57, D60)")
    func requests() throws {
        var writer = RequestWriter(schema: Sample.schema)
        let create = OutgoingMutation(
            .create, Sample.note, id: "n1", fieldsJSON: #"{"id":"n1","title":"a \"b\"","tags":[]}"#, mutationID: "u1")
        let update = OutgoingMutation(
            .update, Sample.lot, id: "s#7", fieldsJSON: #"{"text":null}"#, version: 4, mutationID: "u2")
        let delete = OutgoingMutation(.delete, Sample.note, id: "n2", fieldsJSON: "{}", version: 2, mutationID: "u3")
        let request = try JSONValue(parsing: writer.push([create, update, delete], withIDs: true))
        #expect(
            request["variables"]
                == [
                    "i0": ["id": "n1", "title": "a \"b\"", "tags": []],
                    "i1": ["site": "s", "number": 7, "text": nil, "_version": 4],
                    "i2": ["id": "n2", "_version": 2],
                ])
        #expect(request["extensions"] == ["bincount": ["mutationIds": ["m0": "u1", "m1": "u2", "m2": "u3"]]])
        let plain = try JSONValue(parsing: writer.push([create], withIDs: false))
        #expect(plain["extensions"] == nil)
    }

    @Test("of a fetch carry only the variables that are set (D57)")
    func syncVariables() throws {
        var writer = RequestWriter(schema: Sample.schema)
        let base = try JSONValue(
            parsing: writer.sync(Sample.note, filter: nil, limit: 1000, nextToken: nil, lastSync: nil))
        #expect(base["variables"] == ["limit": 1000])
        let delta = try JSONValue(
            parsing: writer.sync(
                Sample.note, filter: ["title": ["eq": "x"]], limit: 50, nextToken: "t\"1", lastSync: 1_714_557_780_000))
        #expect(
            delta["variables"]
                == [
                    "limit": 50, "filter": ["title": ["eq": "x"]], "nextToken": "t\"1", "lastSync": 1_714_557_780_000,
                ])
        #expect(base["query"] == delta["query"])
    }
}
