# `cmake --install`: what lands where, and the package that find_package(caf-ray) finds.
#   lib/       one static library a layer
#   include/   ray/ and rl/: the public headers
#              caf-ray/: headers of the inner layers, because public ones and caf.h include some of
#              them; they may change from one version to the next
#   bin/       the programs

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/caf-ray)

get_property(layers GLOBAL PROPERTY CAF_RAY_LAYERS)
install(TARGETS ${layers} EXPORT caf-ray
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${CMAKE_INSTALL_INCLUDEDIR}/caf-ray)
install(EXPORT caf-ray NAMESPACE caf-ray:: FILE caf-ray-exported.cmake DESTINATION ${package_dir})

foreach(program caf-ray-node caf-ray-train)
  if(TARGET ${program})
    install(TARGETS ${program})
  endif()
endforeach()

set(only_headers FILES_MATCHING PATTERN *.h PATTERN *.hpp)
foreach(layer gcs objstore scheduler)
  if(TARGET ${layer})
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/${layer}
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/caf-ray ${only_headers})
  endif()
endforeach()
if(TARGET ray)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/libray/include/ray
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${only_headers})
endif()
if(TARGET rl)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/rl
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} ${only_headers})
endif()

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/caf-ray-config.cmake.in
  ${PROJECT_BINARY_DIR}/caf-ray-config.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 any minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/caf-ray-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/caf-ray-dependencies.cmake
              ${PROJECT_BINARY_DIR}/caf-ray-config.cmake
              ${PROJECT_BINARY_DIR}/caf-ray-config-version.cmake
        DESTINATION ${package_dir})
