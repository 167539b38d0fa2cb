# cmake -DINPUT=models.yaml -DOUTPUT=builtin.cc -DNAME=kText -P embed_text.cmake
# Writes a source file that defines palette::job::NAME as the text of INPUT, for texts that are compiled in.
file(READ ${INPUT} text)
if(text MATCHES "\\)embedded\"")
  message(FATAL_ERROR "${INPUT} holds )embedded\", which would end the literal")
endif()
file(WRITE ${OUTPUT} "#include <string_view>\n\nnamespace palette::job {\nextern const std::string_view ${NAME};\n"
                     "const std::string_view ${NAME} = R\"embedded(${text})embedded\";\n}  // namespace palette::job\n")
