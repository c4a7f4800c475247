/// §1: what the transformer makes of a model, in the schema language as introspection tells it.
extension Conformance {
    /// Lines that a type of the API has.
    struct Promise: Sendable {
        let paragraph: String
        let type: String
        let lines: [String]
        /// Whether it has no other lines.
        let isWhole: Bool
    }

    private static func whole(_ paragraph: String, _ type: String, _ lines: String...) -> Promise {
        Promise(paragraph: paragraph, type: type, lines: lines, isWhole: true)
    }

    private static func among(_ paragraph: String, _ type: String, _ lines: String...) -> Promise {
        Promise(paragraph: paragraph, type: type, lines: lines, isWhole: false)
    }

    private static let page = "limit: Int, nextToken: String"

    static let api: [Promise] = names + arguments + types + operators

    private static let names: [Promise] = [
        among(
            "§1.1", "Query", "getNote(id: ID!): Note",
            "listNotes(filter: ModelNoteFilterInput, \(page)): ModelNoteConnection",
            "getPerson(id: ID!): person", "listPeople(filter: ModelPersonFilterInput, \(page)): ModelPersonConnection",
            "syncBoxes(filter: ModelBoxFilterInput, \(page), lastSync: AWSTimestamp): ModelBoxConnection"),
        among(
            "§1.1", "Subscription",
            // 45 characters and five digits of the MD5 of "onCreateAVeryLongNameOfAModelThatGoesOnAndOnAndOnForEver".
            "onCreateAVeryLongNameOfAModelThatGoesOnAndOnA\(cut)(filter: ModelSubscriptionAVeryLongNameOfAModelThatGoesOnAndOnAndOnForEverFilterInput): AVeryLongNameOfAModelThatGoesOnAndOnAndOnForEver"
        ),
        among(
            "§1.8", "Query", "oneRenamed(id: ID!): Renamed",
            "allRenamed(filter: ModelRenamedFilterInput, \(page)): ModelRenamedConnection",
            "syncRenameds(filter: ModelRenamedFilterInput, \(page), lastSync: AWSTimestamp): ModelRenamedConnection"),
        among(
            "§1.8", "Mutation", "make(input: CreateRenamedInput!, condition: ModelRenamedConditionInput): Renamed",
            "updateRenamed(input: UpdateRenamedInput!, condition: ModelRenamedConditionInput): Renamed"),
        among("§1.8", "Subscription", "made(filter: ModelSubscriptionRenamedFilterInput): Renamed"),
    ]

    /// `printf onCreateAVeryLongNameOfAModelThatGoesOnAndOnAndOnForEver | md5sum`
    private static let cut = "a990a"

    private static let arguments: [Promise] = [
        among(
            "§1.2", "Query",
            "syncNotes(filter: ModelNoteFilterInput, \(page), lastSync: AWSTimestamp): ModelNoteConnection",
            "getReading(device: ID!, day: AWSDate!, number: Int!): Reading",
            "listReadings(device: ID, dayNumber: ModelReadingPrimaryCompositeKeyConditionInput, sortDirection: ModelSortDirection, filter: ModelReadingFilterInput, \(page)): ModelReadingConnection",
            "syncReadings(filter: ModelReadingFilterInput, \(page), lastSync: AWSTimestamp): ModelReadingConnection",
            "readingsByValue(value: Int!, deviceNumber: ModelReadingByValueCompositeKeyConditionInput, sortDirection: ModelSortDirection, filter: ModelReadingFilterInput, \(page)): ModelReadingConnection",
            "listLots(code: String, place: ModelIntKeyConditionInput, sortDirection: ModelSortDirection, filter: ModelLotFilterInput, \(page)): ModelLotConnection",
            // Without `queryField`, as Amplify names it; an index may be called as no type can be.
            "lotsByLabelAndPlaceAndCode(label: String!, placeCode: ModelLotGsiLotlabelCompositeKeyConditionInput, sortDirection: ModelSortDirection, filter: ModelLotFilterInput, \(page)): ModelLotConnection",
            "boxLabelsByBoxId(boxId: ID!, sortDirection: ModelSortDirection, filter: ModelBoxLabelsFilterInput, \(page)): ModelBoxLabelsConnection",
            "boxesByCode(code: String!, sortDirection: ModelSortDirection, filter: ModelBoxFilterInput, \(page)): ModelBoxConnection",
            "itemsByBox(boxID: ID!, weight: ModelIntKeyConditionInput, sortDirection: ModelSortDirection, filter: ModelItemFilterInput, \(page)): ModelItemConnection"
        ),
        among(
            "§1.2", "Mutation", "createNote(input: CreateNoteInput!, condition: ModelNoteConditionInput): Note",
            "updateNote(input: UpdateNoteInput!, condition: ModelNoteConditionInput): Note",
            "deleteNote(input: DeleteNoteInput!, condition: ModelNoteConditionInput): Note"),
        among(
            "§1.2", "Subscription", "onUpdateNote(filter: ModelSubscriptionNoteFilterInput): Note",
            "onDeleteDiary(filter: ModelSubscriptionDiaryFilterInput, owner: String): Diary"),
        whole(
            "§1.2", "ModelReadingPrimaryCompositeKeyConditionInput", "eq: ModelReadingPrimaryCompositeKeyInput",
            "le: ModelReadingPrimaryCompositeKeyInput", "lt: ModelReadingPrimaryCompositeKeyInput",
            "ge: ModelReadingPrimaryCompositeKeyInput", "gt: ModelReadingPrimaryCompositeKeyInput",
            "between: [ModelReadingPrimaryCompositeKeyInput]", "beginsWith: ModelReadingPrimaryCompositeKeyInput"),
        whole("§1.2", "ModelReadingPrimaryCompositeKeyInput", "day: AWSDate", "number: Int"),
        whole("§1.2", "ModelReadingByValueCompositeKeyInput", "device: ID", "number: Int"),
        whole(
            "§1.2", "ModelIntKeyConditionInput", "eq: Int", "le: Int", "lt: Int", "ge: Int", "gt: Int",
            "between: [Int]"),
        whole(
            "§1.2", "ModelStringKeyConditionInput", "eq: String", "le: String", "lt: String", "ge: String",
            "gt: String", "between: [String]", "beginsWith: String"),
        whole("§1.2", "ModelSortDirection", "ASC", "DESC"),
    ]

    private static let types: [Promise] = [
        among(
            "§1.3", "Note", "id: ID!", "title: String", "tags: [String]", "statuses: [Status!]", "place: Place",
            "createdAt: AWSDateTime!", "updatedAt: AWSDateTime!", "_version: Int!", "_deleted: Boolean",
            "_lastChangedAt: AWSTimestamp!"),
        whole(
            "§1.3", "ModelNoteConnection", "items: [Note]!", "nextToken: String", "startedAt: AWSTimestamp"),
        whole(
            "§1.3", "Named", "id: ID!", "createdAt: AWSDateTime", "madeAt: AWSDateTime!", "_version: Int!",
            "_deleted: Boolean", "_lastChangedAt: AWSTimestamp!"),
        whole("§1.4", "DeleteNoteInput", "id: ID!", "_version: Int"),
        whole(
            "§1.4", "CreateReadingInput", "device: ID!", "day: AWSDate!", "number: Int!", "value: Int",
            "_version: Int"),
        whole(
            "§1.4", "UpdateReadingInput", "device: ID!", "day: AWSDate!", "number: Int!", "value: Int",
            "_version: Int"),
        whole("§1.4", "DeleteReadingInput", "device: ID!", "day: AWSDate!", "number: Int!", "_version: Int"),
        whole("§1.4, §1.8", "CreateLotInput", "code: String!", "place: Int!", "label: String", "_version: Int"),
        whole("§1.4", "PlaceInput", "row: Int!", "name: String"),
        whole("§1.3, §1.4", "CreateNamedInput", "id: ID", "createdAt: AWSDateTime", "_version: Int"),
        whole("§1.9", "CreateItemInput", "id: ID", "weight: Int", "boxID: ID", "_version: Int"),
        whole("§1.9", "UpdateItemInput", "id: ID!", "weight: Int", "boxID: ID", "_version: Int"),
        whole("§1.9", "CreateBoxLabelsInput", "id: ID", "boxId: ID!", "labelId: ID!", "_version: Int"),
        among(
            "§1.9", "Box",
            "items(weight: ModelIntKeyConditionInput, sortDirection: ModelSortDirection, filter: ModelItemFilterInput, \(page)): ModelItemConnection",
            "lid: Lid",
            "labels(sortDirection: ModelSortDirection, filter: ModelBoxLabelsFilterInput, \(page)): ModelBoxLabelsConnection"
        ),
        among("§1.9", "Item", "box: Box", "boxID: ID"),
        among("§1.9", "BoxLabels", "box: Box", "label: Label", "boxId: ID!", "labelId: ID!"),
    ]

    private static let operators: [Promise] = [
        whole(
            "§1.5", "ModelItemFilterInput", "id: ModelIDInput", "weight: ModelIntInput", "boxID: ModelIDInput",
            "createdAt: ModelStringInput", "updatedAt: ModelStringInput", "and: [ModelItemFilterInput]",
            "or: [ModelItemFilterInput]", "not: ModelItemFilterInput", "_deleted: ModelBooleanInput"),
        whole(
            "§1.5", "ModelItemConditionInput", "weight: ModelIntInput", "boxID: ModelIDInput",
            "createdAt: ModelStringInput", "updatedAt: ModelStringInput", "and: [ModelItemConditionInput]",
            "or: [ModelItemConditionInput]", "not: ModelItemConditionInput", "_deleted: ModelBooleanInput"),
        whole(
            "§1.5", "ModelSubscriptionItemFilterInput", "id: ModelSubscriptionIDInput",
            "weight: ModelSubscriptionIntInput", "boxID: ModelSubscriptionIDInput",
            "createdAt: ModelSubscriptionStringInput", "updatedAt: ModelSubscriptionStringInput",
            "and: [ModelSubscriptionItemFilterInput]", "or: [ModelSubscriptionItemFilterInput]",
            "_deleted: ModelBooleanInput"),
        among(
            "§1.5", "ModelNoteFilterInput", "dueAt: ModelStringInput", "day: ModelStringInput",
            "extra: ModelStringInput", "stamp: ModelIntInput", "tags: ModelStringInput", "status: ModelStatusInput",
            "statuses: ModelStatusListInput", "done: ModelBooleanInput", "score: ModelFloatInput"),
        whole(
            "§1.5", "ModelStringInput", "ne: String", "eq: String", "le: String", "lt: String", "ge: String",
            "gt: String", "contains: String", "notContains: String", "between: [String]", "beginsWith: String",
            "attributeExists: Boolean", "attributeType: ModelAttributeTypes", "size: ModelSizeInput"),
        whole(
            "§1.5", "ModelIDInput", "ne: ID", "eq: ID", "le: ID", "lt: ID", "ge: ID", "gt: ID", "contains: ID",
            "notContains: ID", "between: [ID]", "beginsWith: ID", "attributeExists: Boolean",
            "attributeType: ModelAttributeTypes", "size: ModelSizeInput"),
        whole(
            "§1.5", "ModelIntInput", "ne: Int", "eq: Int", "le: Int", "lt: Int", "ge: Int", "gt: Int",
            "between: [Int]", "attributeExists: Boolean", "attributeType: ModelAttributeTypes"),
        whole(
            "§1.5", "ModelFloatInput", "ne: Float", "eq: Float", "le: Float", "lt: Float", "ge: Float", "gt: Float",
            "between: [Float]", "attributeExists: Boolean", "attributeType: ModelAttributeTypes"),
        whole(
            "§1.5", "ModelBooleanInput", "ne: Boolean", "eq: Boolean", "attributeExists: Boolean",
            "attributeType: ModelAttributeTypes"),
        whole(
            "§1.5", "ModelSizeInput", "ne: Int", "eq: Int", "le: Int", "lt: Int", "ge: Int", "gt: Int",
            "between: [Int]"),
        whole("§1.5", "ModelStatusInput", "eq: Status", "ne: Status"),
        whole(
            "§1.5", "ModelStatusListInput", "eq: [Status]", "ne: [Status]", "contains: Status", "notContains: Status"),
        whole(
            "§1.5", "ModelSubscriptionStringInput", "ne: String", "eq: String", "le: String", "lt: String",
            "ge: String", "gt: String", "contains: String", "notContains: String", "between: [String]",
            "beginsWith: String", "in: [String]", "notIn: [String]"),
        whole(
            "§1.5", "ModelSubscriptionIntInput", "ne: Int", "eq: Int", "le: Int", "lt: Int", "ge: Int", "gt: Int",
            "between: [Int]", "in: [Int]", "notIn: [Int]"),
        whole("§1.5", "ModelSubscriptionBooleanInput", "ne: Boolean", "eq: Boolean"),
        whole(
            "§1.5", "ModelAttributeTypes", "binary", "binarySet", "bool", "list", "map", "number", "numberSet",
            "string", "stringSet", "_null"),
    ]
}
