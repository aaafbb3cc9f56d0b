// Opens the files that hold a model's external tensors. Inside lib/Importer.
#pragma once
#include "lib/Support/File.h"

#include <map>
#include <memory>
#include <string>

namespace adze::importer {

/// Maps files below the folder of a model, and only those: a location is a
/// plain relative path to a regular file with one name, reached without
/// following any link. Each file is opened once.
class ExternalFiles {
 public:
  /// `modelPath`: the model's file; empty if there is none.
  explicit ExternalFiles(const std::string &modelPath);
  ~ExternalFiles();
  ExternalFiles(const ExternalFiles &) = delete;
  ExternalFiles &operator=(const ExternalFiles &) = delete;

  /// Null with `why` filled if `location` is not allowed or cannot be read.
  std::shared_ptr<MappedFile> open(const std::string &location, std::string &why);

 private:
  bool hasModel;
  int folder = -1;
  std::map<std::string, std::shared_ptr<MappedFile>> files;
};

}  // namespace adze::importer
