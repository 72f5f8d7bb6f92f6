#define BOOST_TEST_MODULE gcs
#include <boost/test/unit_test.hpp>
