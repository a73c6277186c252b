/// \file
/// The JSON Schema of the architecture format, for editors. It is as strict as one can be without
/// looking at two places at once; what it accepts may still be refused by arch::Validate.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "io/yaml/arch/arch_format.h"
#include "io/yaml/units.h"

namespace sluice::io {

namespace {

using Json = nlohmann::ordered_json;

Json Reference(std::string_view section) {
  return {{"$ref", "#/$defs/" + std::string(section)}};
}

Json Choices(const KeySpec& key) {
  Json values = Json::array();
  for (const std::string_view choice : key.choices) {
    values.push_back(std::string(choice));
  }
  return {{"enum", std::move(values)}};
}

Json Pattern(const KeySpec& key) {
  return {{"type", "string"}, {"pattern", QuantityPattern(key.units)}};
}

Json ValueSchema(const KeySpec& key) {
  switch (key.kind) {
    case ValueKind::kVersion:
      return {{"const", kArchitectureVersion}};
    case ValueKind::kText:
      return {{"type", "string"}, {"minLength", 1}};
    case ValueKind::kCount:
      return {{"type", "integer"}, {"minimum", 1}};
    case ValueKind::kNumber:
      return {{"type", "number"}, {"minimum", 1}};
    case ValueKind::kFlag:
      return {{"type", "boolean"}};
    case ValueKind::kQuantity:
      return Pattern(key);
    case ValueKind::kSize:
      return {{"anyOf", Json::array({Json{{"const", "unbounded"}}, Pattern(key)})}};
    case ValueKind::kNames:
      return {{"type", "array"}, {"items", {{"type", "string"}, {"minLength", 1}}}};
    case ValueKind::kChoice:
      return Choices(key);
    case ValueKind::kKeep:
      return {{"anyOf", Json::array({Choices(key), Reference(key.section)})}};
    case ValueKind::kSection:
      return Reference(key.section);
    case ValueKind::kSectionList:
      return {{"type", "array"}, {"minItems", 1}, {"items", Reference(key.section)}};
  }
  return {};
}

Json SectionSchema(const SectionSpec& section) {
  Json schema;
  schema["type"] = "object";
  schema["description"] = std::string(section.doc);
  Json properties = Json::object();
  Json required = Json::array();
  for (const KeySpec& key : section.keys) {
    Json value = ValueSchema(key);
    value["description"] = std::string(key.doc);
    properties[std::string(key.key)] = std::move(value);
    if (key.required) {
      required.push_back(std::string(key.key));
    }
  }
  schema["properties"] = std::move(properties);
  schema["additionalProperties"] = false;
  if (!required.empty()) {
    schema["required"] = std::move(required);
  }
  if (!section.one_of.empty()) {
    Json alternatives = Json::array();
    for (const std::string_view key : section.one_of) {
      alternatives.push_back({{"required", Json::array({std::string(key)})}});
    }
    schema["oneOf"] = std::move(alternatives);
  }
  return schema;
}

}  // namespace

std::string ArchitectureSchema() {
  const std::vector<SectionSpec>& format = ArchitectureFormat();
  Json schema;
  schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  schema["title"] = "Sluice architecture";
  schema.update(SectionSchema(format.front()));
  for (std::size_t i = 1; i < format.size(); ++i) {
    schema["$defs"][std::string(format[i].name)] = SectionSchema(format[i]);
  }
  return schema.dump(2) + "\n";
}

}  // namespace sluice::io
